"""Benchmarks with an evaluation server, since their annotations are not public: VOC2012 test and COCO test-dev."""

from __future__ import annotations

from typing import Literal

from ssd_core.spec.vocabularies import COCO_CATEGORIES, VOC_CLASSES

Benchmark = Literal["voc2012", "coco-testdev"]

ARCHIVES: dict[Benchmark, str] = {
    "voc2012": "results.tar.gz",
    "coco-testdev": "detections_test-dev2015_ssdpipe_results.zip",
}

IMAGES: dict[Benchmark, int] = {"voc2012": 10_991, "coco-testdev": 20_288}
"""Number of scored images. The archive of VOC2012 test holds 16,135; ImageSets/Main/test.txt lists only these."""

CLASSES: dict[Benchmark, dict[str, int]] = {
    "voc2012": {name: label for label, name in enumerate(VOC_CLASSES)},
    "coco-testdev": {name: category for category, name in COCO_CATEGORIES.items()},
}
"""Class names of each benchmark, with their numbers in it."""
