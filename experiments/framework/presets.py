"""How a run of the paper is made real.

full     the paper's network, images and schedule
short    the same over a tenth of the iterations
tiny     small detectors on drawn images, from scratch, in minutes on two CPU cores
narrow   the same with a larger input, the paper's augmentation and a longer schedule, for photographs of one's own
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from experiments.framework.data_mixes import drawn_mix, published_mix
from experiments.framework.runs import DetectorName, Run
from experiments.framework.setups import Setup
from pipeline.errors import PipelineError
from pipeline.suggestion import suggestion
from ssd_core.spec.augmentation import FLIP_ONLY, PAPER, STARRED
from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.paper import Flavour, ssd300, ssd300_full_vgg, ssd512, with_full_vgg
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule
from ssd_core.spec.tiny import ssd_tiny
from stages.training.initial import ImageNetVgg16

TINY_SCHEDULE = Schedule(iterations=1650, base_lr=7e-4, drops=(1350,), warmup=50)
NARROW_SCHEDULE = Schedule(iterations=3200, base_lr=7e-4, drops=(2500, 3000), warmup=100)
TINY_512, NARROW_512 = 162, 256
"""Inputs of the detectors in SSD512's place."""


def full(run: Run) -> Setup:
    mix = published_mix(run.data)
    schedule = run.schedule()
    return Setup(
        name=run.name,
        about=f"{run.title}, {schedule.iterations // 1000}k iterations",
        recipe=Recipe(
            spec=_published_spec(run.detector, mix.classes, "coco" if run.after_coco else mix.scales),
            augmentation=STARRED if run.expand else PAPER,
            schedule=schedule,
        ),
        train=mix.train,
        test=mix.test,
        initial=ImageNetVgg16(variant="imagenet-vgg16"),
        protocol=mix.protocol,
        from_coco=mix.from_coco,
    )


def short(run: Run) -> Setup:
    setup = full(run)
    recipe = replace(setup.recipe, schedule=setup.recipe.schedule.scaled(0.1))
    about = f"{run.title}, a tenth of the iterations: no row of the paper"
    return replace(setup, recipe=recipe, about=about)


def tiny(run: Run) -> Setup:
    mix = drawn_mix(run.data)
    spec = ssd_tiny(mix.classes, TINY_512 if run.detector == "ssd512" else 130)
    return Setup(
        name="ssd-tiny",
        about="a small detector on drawn images, from scratch, for two CPU cores",
        recipe=Recipe(
            spec=with_full_vgg(spec) if run.detector == "ssd300-full-vgg" else spec,
            augmentation=replace(FLIP_ONLY, expand=run.expand),
            schedule=TINY_SCHEDULE,
            batch_size=4,
            optimiser="adamw",
        ),
        train=mix.train,
        test=mix.test,
        protocol=mix.protocol,
        from_coco=mix.from_coco,
    )


def narrow(run: Run) -> Setup:
    small = tiny(run)
    spec = ssd_tiny(small.recipe.spec.classes, NARROW_512 if run.detector == "ssd512" else 200)
    return replace(
        small,
        name="ssd200-narrow",
        about="an eighth of SSD300's width at an input of 200, from scratch: for data of one's own on CPU cores",
        recipe=replace(
            small.recipe,
            spec=with_full_vgg(spec) if run.detector == "ssd300-full-vgg" else spec,
            augmentation=STARRED if run.expand else PAPER,
            schedule=NARROW_SCHEDULE,
            batch_size=8,
        ),
    )


PRESETS: dict[str, Callable[[Run], Setup]] = {"full": full, "short": short, "tiny": tiny, "narrow": narrow}


def preset(name: str) -> Callable[[Run], Setup]:
    """The preset of that name. PipelineError with a near miss when there is none."""
    if name not in PRESETS:
        raise PipelineError(f"there is no preset {name!r}; {suggestion(name, PRESETS)}")
    return PRESETS[name]


def _published_spec(detector: DetectorName, classes: tuple[str, ...], scales: Flavour) -> DetectorSpec:
    specs = {"ssd300": ssd300, "ssd512": ssd512, "ssd300-full-vgg": ssd300_full_vgg}
    return specs[detector](classes, scales=scales)
