"""What COCO's protocol compares, as arrays and as the annotations that its tools read.

Boxes are (x, y, width, height) in pixels of the original image, continuous coordinates.
Letters: N detections, G objects.

Tested in tests/stages/evaluation/test_coco_results.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray


@dataclass(frozen=True, kw_only=True)
class CocoDetections:
    """Detections in a set of images."""

    images: Int[ndarray, " N"]
    """Index of the image, from 0."""

    labels: Int[ndarray, " N"]
    """0-based classes."""

    scores: Float[ndarray, " N"]
    boxes_xywh: Float[ndarray, "N 4"]


@dataclass(frozen=True, kw_only=True)
class CocoObjects:
    """Annotated objects in a set of images."""

    images: Int[ndarray, " G"]
    labels: Int[ndarray, " G"]
    boxes_xywh: Float[ndarray, "G 4"]
    area: Float[ndarray, " G"]
    """Area that decides the size class of an object: that of its segmentation if annotated."""

    crowd: Bool[ndarray, " G"]
    """Whether it is a region of many objects: detections in it are ignored."""


def object_annotations(objects: CocoObjects) -> list[dict[str, Any]]:
    """COCO's annotations of the objects."""
    return [
        # From 1: pycocotools treats a match with id 0 as no match
        {"id": number, "image_id": image, "category_id": label, "bbox": box, "area": area, "iscrowd": int(crowd)}
        for number, (image, label, box, area, crowd) in enumerate(
            zip(
                objects.images.tolist(),
                objects.labels.tolist(),
                objects.boxes_xywh.astype(np.float64).tolist(),
                objects.area.astype(np.float64).tolist(),
                objects.crowd.tolist(),
                strict=True,
            ),
            start=1,
        )
    ]


def detection_annotations(detections: CocoDetections) -> list[dict[str, Any]]:
    """COCO's annotations of the detections."""
    boxes_xywh = detections.boxes_xywh.astype(np.float64)
    return [
        {"id": number, "image_id": image, "category_id": label, "bbox": box, "area": area, "score": score}
        for number, (image, label, box, area, score) in enumerate(
            zip(
                detections.images.tolist(),
                detections.labels.tolist(),
                boxes_xywh.tolist(),
                boxes_xywh[:, 2:].prod(axis=1).tolist(),
                detections.scores.tolist(),
                strict=True,
            ),
            start=1,
        )
    ]
