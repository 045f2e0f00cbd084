"""COCO's twelve numbers of 2,000 images by each tool, in turns: `python benchmarks/coco_scoring.py [--out FILE]`.

Eighty classes, seven objects and 35 detections an image, drawn; the digits of the two are compared on the way.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np

from pipeline.store.provenance import library_versions, machine
from stages.evaluation.coco_ap import CocoResult, evaluate_coco
from stages.evaluation.coco_fast import judge_by_hotcoco
from stages.evaluation.coco_input import CocoDetections, CocoObjects
from stages.evaluation.coco_reference import judge_by_pycocotools

IMAGES, CLASSES, ROUNDS = 2000, 80, 5
TOOLS = {"hotcoco": judge_by_hotcoco, "pycocotools": judge_by_pycocotools}


def drawn(seed: int) -> tuple[CocoDetections, CocoObjects]:
    draw = np.random.default_rng(seed)
    count = 7 * IMAGES
    boxes = np.column_stack([draw.uniform(0, 400, (count, 2)), draw.uniform(5, 200, (count, 2))])
    images, labels = draw.integers(0, IMAGES, count), draw.integers(0, CLASSES, count)
    objects = CocoObjects(
        images=images, labels=labels, boxes_xywh=boxes, area=boxes[:, 2:].prod(axis=1), crowd=draw.random(count) < 0.02
    )
    copies = np.repeat(np.arange(count), 5)
    moved = boxes[copies] + draw.normal(0, 8, (len(copies), 4))
    moved[:, 2:] = np.abs(moved[:, 2:])
    found = CocoDetections(
        images=images[copies], labels=labels[copies], scores=draw.random(len(copies)), boxes_xywh=moved
    )
    return found, objects


def timed(tool: str, outcomes: bool) -> tuple[float, CocoResult]:
    detections, objects = drawn(0)
    start = time.perf_counter()
    result = evaluate_coco(detections, objects, image_count=IMAGES, class_count=CLASSES, judge=TOOLS[tool])
    if outcomes:
        assert result.outcomes
    return time.perf_counter() - start, result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    out = parser.parse_args().out
    seconds: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for outcomes in (False, True):
            for tool in TOOLS:
                name = f"{tool}, with outcomes to resample" if outcomes else tool
                taken, result = timed(tool, outcomes)
                seconds.setdefault(name, []).append(taken)
                assert result.numbers == timed("hotcoco", False)[1].numbers
    medians = {name: statistics.median(taken) for name, taken in seconds.items()}
    for name, median in medians.items():
        print(f"{name:45} {median:6.2f} s  ({min(seconds[name]):.2f} to {max(seconds[name]):.2f})")
    print(f"ratio {medians['pycocotools'] / medians['hotcoco']:.1f}")
    if out:
        record = {"seconds": seconds, "libraries": library_versions(), "machine": machine()}
        out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
