"""Detections as an archive that the server of a benchmark takes: VOC2012 test and COCO test-dev, whose objects are
not published.

The result: the archive, named by `ARCHIVES`. Its layout is checked by reading it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.stage import Context, Stage
from ssd_core.spec.vocabularies import COCO_CATEGORIES, VOC_CLASSES

Benchmark = Literal["voc2012", "coco-testdev"]

ARCHIVES: dict[Benchmark, str] = {
    "voc2012": "results.tar.gz",
    "coco-testdev": "detections_test-dev2015_ssdpipe_results.zip",
}

IMAGES: dict[Benchmark, int] = {"voc2012": 10_991, "coco-testdev": 20_288}
"""Images that are scored. The archive of VOC2012 test holds 16,135, of which ImageSets/Main/test.txt lists these."""

CLASSES: dict[Benchmark, dict[str, int]] = {
    "voc2012": {name: label for label, name in enumerate(VOC_CLASSES)},
    "coco-testdev": {name: category for category, name in COCO_CATEGORIES.items()},
}
"""Class names of each benchmark, and the numbers that they have in it."""


@dataclass(frozen=True, kw_only=True)
class Submission(Stage):
    """The archive of one detector; refuses any other number of images than the benchmark scores."""

    benchmark: Benchmark
    detections: Stage
    shards: Stage
    proxy: bool = False
    """Allow other images, such as those of a validation split: to try the way, not to submit."""

    def run(self, ctx: Context) -> None:
        from stages.submission.archive import archive
        from stages.submission.input import from_shards

        found = from_shards(ctx.input(self.detections), ctx.input(self.shards))
        ctx.out.write_bytes(ARCHIVES[self.benchmark], archive(found, self.benchmark, proxy=self.proxy))
