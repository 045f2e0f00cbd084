"""Confusion matrix of the detections above a score threshold.

By descending score, each detection takes the free object that it overlaps most, of any class. C classes; the last row
is background, the last column holds missed objects.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from ssd_core.metrics.overlaps import pairs_in_images, take_free_objects
from ssd_core.metrics.voc_ap import ScoredBoxes, TrueBoxes


def confusion_matrix(
    detections: ScoredBoxes,
    truth: TrueBoxes,
    *,
    class_count: int,
    score_threshold: float,
    iou_threshold: float = 0.5,
    pixel_extent: float = 1.0,
) -> Int[ndarray, "C1 C1"]:
    """Return counts by class of the object (rows) and of the detection (columns).

    A row sums to the objects of its class, and without its last entry to those detected; the last row holds false
    alarms and duplicates. Difficult objects count as neither detected nor missed. Detections below `score_threshold`
    are ignored.
    """
    kept = np.flatnonzero(detections.scores >= score_threshold)
    kept = kept[np.argsort(-detections.scores[kept], kind="stable")]
    by_image = np.argsort(truth.images, kind="stable")
    labels, difficult = truth.labels[by_image], truth.difficult[by_image]
    pairs = pairs_in_images(
        detections.images[kept],
        detections.boxes_xyxy[kept],
        truth.images[by_image],
        truth.boxes_xyxy[by_image],
        pixel_extent,
    )
    near = pairs.chosen(pairs.overlaps >= iou_threshold)
    taken = take_free_objects(near, detections=len(kept), objects=len(labels))
    found = taken >= 0
    counted = ~found
    counted[found] = ~difficult[taken[found]]
    rows = np.full(len(kept), class_count)
    rows[found] = labels[taken[found]]
    matrix = np.zeros((class_count + 1, class_count + 1), np.int64)
    np.add.at(matrix, (rows[counted], detections.labels[kept][counted]), 1)
    missed = ~difficult
    missed[taken[found]] = False
    np.add.at(matrix, (labels[missed], class_count), 1)
    return matrix
