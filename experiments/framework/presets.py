"""How a run of the paper is made real: the presets, and a preset with what the user changes.

full     the paper's network, images and schedule
short    the same over a tenth of the iterations
tiny     small detectors on drawn images, from scratch, in minutes on two CPU cores
narrow   the same with a larger input, the paper's augmentation and a longer schedule, for photographs of one's own

Tested in tests/experiments/framework/test_runs.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from experiments.framework.data_mixes import drawn_mix, published_mix
from experiments.framework.runs import DetectorName, PresetName, Run
from experiments.framework.setups import Setup, initial_for
from pipeline.errors import PipelineError
from pipeline.stage import Stage
from pipeline.suggestion import suggestion
from ssd_core.spec.augmentation import FLIP_ONLY, PAPER, STARRED
from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.paper import Flavour, ssd300, ssd300_full_vgg, ssd512, with_full_vgg
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule
from ssd_core.spec.tiny import ssd_tiny
from stages.placement import Placement
from stages.training.imagenet_vgg16 import ImageNetVgg16
from stages.training.transfer import Transfer

TINY_SCHEDULE = Schedule(iterations=1650, base_lr=7e-4, drops=(1350,), warmup=50)
NARROW_SCHEDULE = Schedule(iterations=3200, base_lr=7e-4, drops=(2500, 3000), warmup=100)
TINY_512, NARROW_512 = 162, 256
"""Inputs of the detectors in SSD512's place."""


def full(run: Run) -> Setup:
    mix = published_mix(run.data)
    schedule = run.schedule()
    return Setup(
        run=run,
        preset="full",
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
    return replace(setup, preset="short", recipe=recipe, about=about)


def tiny(run: Run) -> Setup:
    mix = drawn_mix(run.data)
    spec = ssd_tiny(mix.classes, TINY_512 if run.detector == "ssd512" else 130)
    return Setup(
        run=run,
        preset="tiny",
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
        preset="narrow",
        about="an eighth of SSD300's width at an input of 200, from scratch: for data of one's own on CPU cores",
        recipe=replace(
            small.recipe,
            spec=with_full_vgg(spec) if run.detector == "ssd300-full-vgg" else spec,
            augmentation=STARRED if run.expand else PAPER,
            schedule=NARROW_SCHEDULE,
            batch_size=8,
        ),
    )


PRESETS: dict[PresetName, Callable[[Run], Setup]] = {"full": full, "short": short, "tiny": tiny, "narrow": narrow}


def as_it_is(setup: Setup) -> Setup:
    return setup


@dataclass(frozen=True, kw_only=True)
class Preset:
    """What makes runs real: equal runs at equal presets are one training, whichever experiment asks for them."""

    name: PresetName = "full"
    adjust: Callable[[Setup], Setup] = as_it_is
    """The user's changes to every run's setup, applied before the run's own."""

    placement: Placement = field(default_factory=Placement)

    def __post_init__(self) -> None:
        if self.name not in PRESETS:
            raise PipelineError(f"there is no preset {self.name!r}; {suggestion(self.name, PRESETS)}")

    def setup(self, run: Run, seed: int = 0) -> Setup:
        """All that fixes a training of the run; `seed` is added to that of the recipe."""
        setup = self.adjust(replace(PRESETS[self.name](run), placement=self.placement))
        recipe = run.change(setup.recipe)
        initial = initial_for(recipe.spec, setup.initial)
        if run.after_coco:
            initial = self._after(run.after_coco, setup, seed)
        return replace(setup, recipe=replace(recipe, seed=recipe.seed + seed), initial=initial)

    def _after(self, parent: Run, setup: Setup, seed: int) -> Stage:
        """First weights from the training of another run, with the heads of this one's classes."""
        before = self.setup(parent, seed)
        return Transfer(
            weights=before.training(),
            classes=setup.recipe.spec.classes,
            names=setup.from_coco,
            variant=before.variant,
        )


def _published_spec(detector: DetectorName, classes: tuple[str, ...], scales: Flavour) -> DetectorSpec:
    specs = {"ssd300": ssd300, "ssd512": ssd512, "ssd300-full-vgg": ssd300_full_vgg}
    return specs[detector](classes, scales=scales)
