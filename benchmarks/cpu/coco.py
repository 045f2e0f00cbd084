"""COCO's twelve numbers of 2,000 images by each tool, with and without the outcomes that resampling needs.

Eighty classes, seven objects and 35 detections an image, drawn. The digits of the tools are compared on the way.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from gpu.record import Options, Record
from gpu.rounds import SMALL, Effort, compared, timed

from stages.evaluation.coco_ap import CocoResult, evaluate_coco
from stages.evaluation.coco_fast import judge_by_hotcoco
from stages.evaluation.coco_input import CocoDetections, CocoObjects
from stages.evaluation.coco_reference import judge_by_pycocotools

CLASSES = 80
TOOLS = {"pycocotools": judge_by_pycocotools, "hotcoco": judge_by_hotcoco}


def measure(options: Options) -> dict[str, Any]:
    """Measure both tools in turns; the ratio is to pycocotools. Raises AssertionError where their digits differ."""
    record = Record("coco", options)
    images = 10 if options.small else 2000
    detections, objects = drawn(images)
    score = partial(evaluate_coco, detections, objects, image_count=images, class_count=CLASSES)
    numbers = {tool: score(judge=judge).numbers for tool, judge in TOOLS.items()}
    assert numbers["hotcoco"] == numbers["pycocotools"]
    effort = SMALL if options.small else Effort(fewest=5, most=5, warmup=0)
    for outcomes in (False, True):
        works = {tool: partial(scored, partial(score, judge=judge), outcomes) for tool, judge in TOOLS.items()}
        seconds = timed(works, options.device, effort)
        record.put(f"{images} images", "with outcomes" if outcomes else "twelve numbers", document(seconds, images))
    return record.content


def document(seconds: dict[str, Any], images: int) -> dict[str, Any]:
    found = compared(seconds, images, "pycocotools")
    return {tool: {"seconds": float(np.median(seconds[tool]))} | each for tool, each in found.items()}


def scored(score: partial[CocoResult], outcomes: bool) -> None:
    result = score()
    if outcomes:
        assert result.outcomes


def drawn(images: int) -> tuple[CocoDetections, CocoObjects]:
    draw = np.random.default_rng(0)
    count = 7 * images
    boxes = np.column_stack([draw.uniform(0, 400, (count, 2)), draw.uniform(5, 200, (count, 2))])
    of_image, labels = draw.integers(0, images, count), draw.integers(0, CLASSES, count)
    objects = CocoObjects(
        images=of_image,
        labels=labels,
        boxes_xywh=boxes,
        area=boxes[:, 2:].prod(axis=1),
        crowd=draw.random(count) < 0.02,
    )
    copies = np.repeat(np.arange(count), 5)
    moved = boxes[copies] + draw.normal(0, 8, (len(copies), 4))
    moved[:, 2:] = np.abs(moved[:, 2:])
    found = CocoDetections(
        images=of_image[copies], labels=labels[copies], scores=draw.random(len(copies)), boxes_xywh=moved
    )
    return found, objects
