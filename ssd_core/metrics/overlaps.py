"""Overlaps of detections with the objects of their images, in pixels of the original image (numpy).

Letters: N detections, G objects, P pairs of a detection and an object of the same image.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray


class Pairs(NamedTuple):
    """Pairs by ascending detection, and for each by ascending object."""

    detections: Int[ndarray, " P"]
    objects: Int[ndarray, " P"]
    overlaps: Float[ndarray, " P"]
    """Intersection over union."""

    def chosen(self, which: ndarray) -> Pairs:
        """The pairs of a mask or of indices."""
        return Pairs(*(values[which] for values in self))


def pairs_in_images(
    images: Int[ndarray, " N"],
    boxes_xyxy: Float[ndarray, "N 4"],
    truth_images: Int[ndarray, " G"],
    truth_xyxy: Float[ndarray, "G 4"],
    pixel_extent: float,
) -> Pairs:
    """All pairs of a detection and an object of its image; `truth_images` ascend.

    `pixel_extent` is what a width has beyond xmax - xmin: 1 for VOC pixels, 0 for continuous coordinates.
    """
    first = np.searchsorted(truth_images, images, "left")
    counts = np.searchsorted(truth_images, images, "right") - first
    detections = np.repeat(np.arange(len(images)), counts)
    before = np.cumsum(counts) - counts
    objects = np.arange(len(detections)) - before[detections] + first[detections]
    overlaps = _overlaps(
        boxes_xyxy[detections].astype(np.float64), truth_xyxy[objects].astype(np.float64), pixel_extent
    )
    return Pairs(detections, objects, overlaps)


def _overlaps(
    boxes_xyxy: Float[ndarray, "P 4"], others_xyxy: Float[ndarray, "P 4"], pixel_extent: float
) -> Float[ndarray, " P"]:
    """Intersection over union, pair by pair."""
    common = np.minimum(boxes_xyxy, others_xyxy)[:, 2:] - np.maximum(boxes_xyxy, others_xyxy)[:, :2] + pixel_extent
    intersection = np.maximum(common, 0).prod(axis=1)
    areas = [(boxes[:, 2:] - boxes[:, :2] + pixel_extent).prod(axis=1) for boxes in (boxes_xyxy, others_xyxy)]
    overlaps: Float[ndarray, " P"] = intersection / (areas[0] + areas[1] - intersection)
    return overlaps


def take_free_objects(pairs: Pairs, *, detections: int, objects: int) -> Int[ndarray, " N"]:
    """The object that each detection takes, -1 for none: in order, each the one it overlaps most of those left.

    Of objects with the same overlap, the first.
    """
    taken, owner = [False] * objects, [-1] * detections
    order = np.lexsort((pairs.objects, -pairs.overlaps, pairs.detections))
    for detection, wanted in zip(pairs.detections[order].tolist(), pairs.objects[order].tolist(), strict=True):
        if owner[detection] < 0 and not taken[wanted]:
            owner[detection], taken[wanted] = wanted, True
    return np.array(owner, dtype=np.int64)
