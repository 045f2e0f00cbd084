"""Presets turn a run of the paper into a setup, with the user's changes applied.

full     the paper's network, images and schedule
short    like full, over a tenth of the iterations
tiny     small detectors on drawn images, from scratch, in minutes on two CPU cores
narrow   like tiny, with a larger input, the paper's augmentation and a longer schedule, for your own photographs

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
"""Input sizes of the detectors that stand in for SSD512."""


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
        about="an eighth of SSD300's width at an input of 200, from scratch: for your own data on CPU cores",
        recipe=replace(
            small.recipe,
            spec=with_full_vgg(spec) if run.detector == "ssd300-full-vgg" else spec,
            augmentation=STARRED if run.expand else PAPER,
            schedule=NARROW_SCHEDULE,
            batch_size=8,
        ),
    )


PRESETS: dict[PresetName, Callable[[Run], Setup]] = {"full": full, "short": short, "tiny": tiny, "narrow": narrow}


def no_adjustment(setup: Setup) -> Setup:
    return setup


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Turns runs into setups: equal runs at equal presets share one training, whichever experiment names them."""

    name: PresetName = "full"
    adjust: Callable[[Setup], Setup] = no_adjustment
    """The user's changes to every run's setup, applied before the run's own."""

    placement: Placement = field(default_factory=Placement)

    def __post_init__(self) -> None:
        if self.name not in PRESETS:
            raise PipelineError(f"there is no preset {self.name!r}; {suggestion(self.name, PRESETS)}")

    def setup(self, run: Run, seed: int = 0) -> Setup:
        """The run's setup at this preset; `seed` is added to the recipe's seed."""
        setup = self.adjust(replace(PRESETS[self.name](run), placement=self.placement))
        recipe = run.change(setup.recipe)
        initial = initial_for(recipe.spec, setup.initial)
        if run.after_coco:
            initial = self._after(run.after_coco, setup, seed)
        return replace(setup, recipe=replace(recipe, seed=recipe.seed + seed), initial=initial)

    def _after(self, parent: Run, setup: Setup, seed: int) -> Stage:
        """Initial weights from another run's training, with its heads mapped to this setup's classes."""
        parent_setup = self.setup(parent, seed)
        return Transfer(
            weights=parent_setup.training(),
            classes=setup.recipe.spec.classes,
            names=setup.from_coco,
            variant=parent_setup.variant,
        )


def _published_spec(detector: DetectorName, classes: tuple[str, ...], scales: Flavour) -> DetectorSpec:
    specs = {"ssd300": ssd300, "ssd512": ssd512, "ssd300-full-vgg": ssd300_full_vgg}
    return specs[detector](classes, scales=scales)
