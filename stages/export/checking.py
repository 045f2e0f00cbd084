"""Compare an exported file with the detector that it was made from, on annotated images.

Tested in tests/stages/export/test_export.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import inf, isnan
from time import perf_counter

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from ssd_core.data.images import decode_rgb, resize
from ssd_core.data.loading import stack
from ssd_core.detection.decoding import Detections, detect, detections
from ssd_core.detection.limits import DetectionLimits
from ssd_core.metrics.voc_ap import ScoredBoxes, TrueBoxes, evaluate, mean_result
from ssd_core.weights.weights import Weights
from stages.export.runtimes import Exported
from stages.export.sample import Sample

TOLERANCE = 1e-4
"""Largest difference of scores, and of corners as fractions of the image."""

TIED = 1e-5
"""Scores that differ by less may be in another order: runtimes sum in different orders, in float32."""

MOST_OTHER = 0.01
"""Share of detections with another box. Of two tied boxes that overlap, either may suppress the other."""

BATCH = 8


@dataclass(kw_only=True)
class Comparison:
    """How the detections of a file differ from the detector's."""

    images: int = 0
    detections: int = 0
    same: int = 0
    """Images with the same labels in the same order."""

    tied: int = 0
    """Images with the same labels, of which some are in another order, all of them with scores that are `TIED`."""

    score_difference: float = 0.0
    """The largest, over the images with the same labels."""

    other_boxes: int = 0
    """Detections with the same label and score whose corners differ by more than `TOLERANCE`."""

    own_map: float = float("nan")
    """Mean average precision (11 points) of the detector; NaN if the images have no object of its classes."""

    exported_map: float = float("nan")
    own_seconds: float = 0.0
    """Seconds that the detector takes for an image."""

    exported_seconds: float = 0.0
    differing: list[str] = field(default_factory=list)
    """Ids of the images that are neither `same` nor `tied`."""

    @property
    def equal(self) -> bool:
        precise = self.score_difference <= TOLERANCE and self.other_boxes <= MOST_OTHER * self.detections
        equal_map = isnan(self.own_map) or f"{self.own_map:.4f}" == f"{self.exported_map:.4f}"
        return not self.differing and precise and equal_map


def compare(weights: Weights, exported: Exported, limits: DetectionLimits, sample: Sample) -> Comparison:
    """Detect in all images with both, in batches."""
    detector = weights.detector().to(memory_format=torch.channels_last)  # as `ssdpipe detect` has it
    result, own, others = Comparison(images=len(sample.rows)), list[Detections](), list[Detections]()
    for start in range(0, len(sample.rows), BATCH):
        rows = sample.rows[start : start + BATCH]
        images = stack([resize(decode_rgb(row.image), weights.spec.input_size) for row in rows])
        own_call, other_call = (
            partial(detect, detector, images, limits),
            partial(_flat, exported, images, weights, limits),
        )
        if not start:  # the first call of a runtime also prepares the following ones
            other_call()
        seconds, one = _timed(own_call)
        result.own_seconds += seconds / len(sample.rows)
        seconds, other = _timed(other_call)
        result.exported_seconds += seconds / len(sample.rows)
        for number, row in enumerate(rows):
            _compare_image(result, row.image_id, _of(one, number), _of(other, number))
        own.append(one._replace(images=one.images + start))
        others.append(other._replace(images=other.images + start))
    result.own_map = _mean_ap(_joined(own), sample, weights.spec.classes)
    result.exported_map = _mean_ap(_joined(others), sample, weights.spec.classes)
    return result


def _timed(call: Callable[[], Detections]) -> tuple[float, Detections]:
    began = perf_counter()
    found = call()
    return perf_counter() - began, found


@torch.no_grad()
def _flat(
    exported: Exported, images: UInt8[Tensor, "B 3 S S"], weights: Weights, limits: DetectionLimits
) -> Detections:
    """The outputs of a file as detections; raw ones are decoded as the detector's are."""
    outputs = exported(images.contiguous())
    if "logits" in outputs:
        variances = weights.spec.variances
        return detections(outputs["locations"], outputs["logits"], outputs["default_boxes"], variances, limits)
    images_of, place = (outputs["labels"] >= 0).nonzero(as_tuple=True)
    picked = (outputs[name][images_of, place] for name in ("labels", "scores", "boxes"))
    return Detections(images_of, *picked)


def _of(found: Detections, number: int) -> Detections:
    return Detections(*(values[found.images == number] for values in found))


def _joined(parts: Sequence[Detections]) -> Detections:
    return Detections(*(torch.cat(values) for values in zip(*parts, strict=True)))


def _compare_image(result: Comparison, image_id: str, own: Detections, other: Detections) -> None:
    result.detections += len(own.labels)
    if len(own.labels) != len(other.labels):
        result.differing.append(image_id)
        return
    order = torch.tensor(list(_untied(own, other)), dtype=torch.int64)
    swapped = bool((order != torch.arange(len(order))).any())
    if not torch.equal(own.labels, other.labels[order]):
        result.differing.append(image_id)
        return
    result.same += not swapped
    result.tied += swapped
    if len(order):
        scores = float((own.scores - other.scores[order]).abs().max())
        result.score_difference = max(result.score_difference, scores)
        apart = (own.boxes_xyxy - other.boxes_xyxy[order]).abs().amax(dim=1)
        result.other_boxes += int((apart > TOLERANCE).sum())


def _untied(own: Detections, other: Detections) -> Iterator[int]:
    """For each detection the position of its counterpart: the nearest box of its label and score, if there is one."""
    alike = (own.labels[:, None] == other.labels) & ((own.scores[:, None] - other.scores).abs() <= TIED)
    apart = (own.boxes_xyxy[:, None] - other.boxes_xyxy).abs().amax(dim=2).masked_fill(~alike, inf).tolist()
    free = list(range(len(other.labels)))
    for number, distances in enumerate(apart):
        chosen = min(free, key=lambda place, of=distances, here=number: (of[place], abs(place - here)))  # type: ignore[misc]
        free.remove(chosen)
        yield chosen


def _mean_ap(found: Detections, sample: Sample, classes: Sequence[str]) -> float:
    """Mean average precision over the detector's classes that have objects in the images."""
    sizes = np.array([(row.width, row.height) * 2 for row in sample.rows])
    images = found.images.numpy()
    boxes = ScoredBoxes(
        images=images,
        labels=found.labels.numpy(),
        scores=found.scores.numpy(),
        boxes_xyxy=found.boxes_xyxy.numpy() * sizes[images],
    )
    numbers = {name: number for number, name in enumerate(classes)}
    objects = [
        (number, numbers[name], box, difficult or crowd)
        for number, row in enumerate(sample.rows)
        for label, box, difficult, crowd in zip(row.labels, row.boxes_xyxy, row.difficult, row.crowd, strict=True)
        if (name := sample.classes[label]) in numbers
    ]
    truth = TrueBoxes(
        images=np.array([item[0] for item in objects], dtype=np.int64),
        labels=np.array([item[1] for item in objects], dtype=np.int64),
        boxes_xyxy=np.array([item[2] for item in objects], dtype=np.float64).reshape(-1, 4),
        difficult=np.array([item[3] for item in objects], dtype=np.bool_),
    )
    return mean_result(evaluate(boxes, truth, class_count=len(classes))).ap_11point
