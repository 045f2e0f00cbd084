"""The benchmarks whose servers take archives: VOC2012 test and COCO test-dev, whose objects are not published."""

from __future__ import annotations

from typing import Literal

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
