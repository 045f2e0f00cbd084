"""The paper's trainings, each defined once; experiments refer to them by name, so that tables share trainings.

A run is described in the paper's terms: which detector, which images, how long. A preset (`presets.py`) turns it into
a setup, with the paper's network and data or with small ones. Sources: sections 3.1 to 3.6; where the text gives no
number, the released scripts (examples/ssd/ssd_pascal.py, ssd_coco.py, ssd_ilsvrc.py of weiliu89/caffe).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule

DetectorName = Literal["ssd300", "ssd512", "ssd300-full-vgg"]
DataName = Literal["07", "07+12", "07+12train", "07++12", "coco", "ilsvrc"]
"""Training images. 07+12train keeps VOC2012 val for testing; 07++12 includes VOC2007 test; coco is trainval35k."""

PresetName = Literal["full", "short", "tiny", "narrow"]
"""The scale of a run, see `presets.py`."""

Change = Callable[[Recipe], Recipe]

SCHEDULES: dict[DataName, Schedule] = {
    "07": Schedule(),
    "07+12": Schedule(),
    "07+12train": Schedule(),
    "07++12": Schedule(iterations=80_000, drops=(60_000,)),
    "coco": Schedule(iterations=240_000, drops=(160_000, 200_000)),
    "ilsvrc": Schedule(iterations=440_000, drops=(320_000, 400_000)),
}
STARRED_COCO = Schedule(iterations=400_000, drops=(280_000, 360_000))
"""The released script's schedule; section 3.6 says "double", which would be 480k."""


def unchanged(recipe: Recipe) -> Recipe:
    return recipe


@dataclass(frozen=True, kw_only=True)
class Run:
    """One training as the paper describes it; its data mix also fixes the test images."""

    name: str
    """Part of the addresses of its stages: `train/<name>/seed0`."""

    detector: DetectorName = "ssd300"
    data: DataName = "07+12"
    expand: bool = False
    """A star in Table 6: zoom-out augmentation and a longer training."""

    after_coco: Run | None = None
    """The run on COCO that this one is fine-tuned from, keeping its box scales."""

    change: Change = unchanged
    """The change that an ablation makes to the recipe."""

    def schedule(self) -> Schedule:
        """The paper's schedule; fine-tuning takes that of training from ImageNet (only the starred are published)."""
        if not self.expand:
            return SCHEDULES[self.data]
        return STARRED_COCO if self.data == "coco" else SCHEDULES[self.data].scaled(2)

    def varied(self, name: str, change: Change = unchanged, *, detector: DetectorName | None = None) -> Run:
        """An ablation of this run."""
        return replace(self, name=name, change=change, detector=detector or self.detector)

    @property
    def title(self) -> str:
        """As in the tables: SSD300* on 07+12, from COCO."""
        star = "*" if self.expand else ""
        return f"{self.detector.upper()}{star} on {self.data}{', from COCO' if self.after_coco else ''}"


_SLUGS: dict[DataName, str] = {
    "07": "voc07",
    "07+12": "voc0712",
    "07+12train": "voc0712train",
    "07++12": "voc07++12",
    "coco": "coco",
    "ilsvrc": "ilsvrc",
}


def _runs_of(detector: DetectorName, *, expand: bool) -> list[Run]:
    """All runs of one detector: on each mix from ImageNet, and fine-tuned from COCO on the mixes in the tables."""

    def run(data: DataName, after: Run | None = None) -> Run:
        name = f"{detector}{'-expand' if expand else ''}-{_SLUGS[data]}{'-after-coco' if after else ''}"
        return Run(name=name, detector=detector, data=data, expand=expand, after_coco=after)

    coco = run("coco")
    voc: tuple[DataName, ...] = ("07+12", "07++12", "07+12train")
    return [run("07"), coco, *(run(data) for data in voc), *(run(data, coco) for data in voc)]


RUNS = {
    run.name: run
    for run in (
        *_runs_of("ssd300", expand=False),
        *_runs_of("ssd512", expand=False),
        *_runs_of("ssd300", expand=True),
        *_runs_of("ssd512", expand=True),
        Run(name="ssd300-full-vgg-voc0712", detector="ssd300-full-vgg"),
        Run(name="ssd300-ilsvrc", data="ilsvrc"),
    )
}
"""Runs by name; recipes have the same names."""
