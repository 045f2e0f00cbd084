"""Overlaps between detections and the objects in their images, in pixels of the original image (numpy).

Letters: N detections, G objects, P pairs of a detection and an object of the same image.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray


class Pairs(NamedTuple):
    """Pairs sorted by detection, then by object."""

    detections: Int[ndarray, " P"]
    objects: Int[ndarray, " P"]
    overlaps: Float[ndarray, " P"]
    """Intersection over union."""

    def chosen(self, which: ndarray) -> Pairs:
        """Return the pairs selected by a mask or by indices."""
        return Pairs(*(values[which] for values in self))


def pairs_in_images(
    images: Int[ndarray, " N"],
    boxes_xyxy: Float[ndarray, "N 4"],
    truth_images: Int[ndarray, " G"],
    truth_xyxy: Float[ndarray, "G 4"],
    pixel_extent: float,
) -> Pairs:
    """Return all pairs of a detection and an object in its image; `truth_images` are ascending.

    `pixel_extent` is added to xmax - xmin to give a width: 1 for VOC pixels, 0 for continuous coordinates.
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
    """Return the intersection over union of each pair."""
    common = np.minimum(boxes_xyxy, others_xyxy)[:, 2:] - np.maximum(boxes_xyxy, others_xyxy)[:, :2] + pixel_extent
    intersection = np.maximum(common, 0).prod(axis=1)
    areas = [(boxes[:, 2:] - boxes[:, :2] + pixel_extent).prod(axis=1) for boxes in (boxes_xyxy, others_xyxy)]
    overlaps: Float[ndarray, " P"] = intersection / (areas[0] + areas[1] - intersection)
    return overlaps


def take_free_objects(pairs: Pairs, *, detections: int, objects: int) -> Int[ndarray, " N"]:
    """Assign objects greedily, in the order of the detections: each takes the free object it overlaps most, else -1.

    Ties go to the first object.
    """
    taken, owner = [False] * objects, [-1] * detections
    order = np.lexsort((pairs.objects, -pairs.overlaps, pairs.detections))
    for detection, wanted in zip(pairs.detections[order].tolist(), pairs.objects[order].tolist(), strict=True):
        if owner[detection] < 0 and not taken[wanted]:
            owner[detection], taken[wanted] = wanted, True
    return np.array(owner, dtype=np.int64)
