"""VOC's average precision of a detector with 254,590 detections on VOC2007's test set, and its resamplings.

A real detector's files where SSDPIPE_TEST_DATA has them (voc2007_eval), otherwise as many drawn boxes.
"""

from __future__ import annotations

import os
import tarfile
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from gpu.record import Options, Record
from gpu.rounds import SMALL, Effort, spread, timed

from ssd_core.metrics.bootstrap import image_weights, replicate_map
from ssd_core.metrics.voc_ap import ScoredBoxes, TrueBoxes, class_result, judge
from stages.evaluation.voc_detections import read_files

IMAGES, OBJECTS, DETECTIONS, CLASSES, REPLICATES = 4952, 14_976, 254_590, 20, 1000
SOURCE = Path(os.environ.get("SSDPIPE_TEST_DATA", "../shared/data")) / "voc2007_eval"
DETECTOR = "dets_tinyyolov2_qfdong"


def measure(options: Options) -> dict[str, Any]:
    """Measure judging with the average precision of each class, and 1,000 resamplings of the images."""
    record = Record("voc", options)
    name, detections, truth = drawn(20) if options.small or not SOURCE.exists() else real()
    record.put("detections", "of", f"{name}, {len(detections.scores)} on {truth.images.max() + 1} images")
    outcomes = judge(detections, truth, class_count=CLASSES)
    replicates = 10 if options.small else REPLICATES
    weights = image_weights(int(truth.images.max()) + 1, replicates, np.random.default_rng(0))
    works: dict[str, Callable[[], object]] = {
        "average precision": partial(scored, detections, truth),
        f"{replicates} resamplings": partial(replicate_map, outcomes, weights),
    }
    seconds = timed(works, options.device, SMALL if options.small else Effort(seconds=30, fewest=3, most=10, warmup=1))
    for work, values in seconds.items():
        measured = {"median": float(np.median(values)), "spread": spread(values), "rounds": len(values)}
        record.put("seconds of", work, measured)
    return record.content


def scored(detections: ScoredBoxes, truth: TrueBoxes) -> list[float]:
    return [class_result(item).ap_11point for item in judge(detections, truth, class_count=CLASSES)]


def real() -> tuple[str, ScoredBoxes, TrueBoxes]:
    with tempfile.TemporaryDirectory() as place:
        for archive in SOURCE.glob("*.tar.xz"):
            with tarfile.open(archive) as packed:
                packed.extractall(place, filter="data")
        files = read_files(Path(place, DETECTOR), str(Path(place, "VOC2007")), "test")
    return DETECTOR, files.detections, files.truth


def drawn(images: int = IMAGES) -> tuple[str, ScoredBoxes, TrueBoxes]:
    """As many boxes an image as the real detector has, around the objects and elsewhere."""
    draw = np.random.default_rng(0)
    objects, found = OBJECTS * images // IMAGES, DETECTIONS * images // IMAGES
    corners = draw.uniform(0, 300, (objects, 2))
    boxes = np.concatenate([corners, corners + draw.uniform(20, 200, (objects, 2))], axis=1)
    truth = TrueBoxes(
        images=np.sort(draw.integers(0, images, objects)),
        labels=draw.integers(0, CLASSES, objects),
        boxes_xyxy=boxes,
        difficult=draw.random(objects) < 0.2,
    )
    copies = draw.integers(0, objects, found)
    detections = ScoredBoxes(
        images=truth.images[copies],
        labels=truth.labels[copies],
        scores=draw.random(found),
        boxes_xyxy=boxes[copies] + draw.normal(0, 20, (found, 4)),
    )
    return "drawn boxes", detections, truth
