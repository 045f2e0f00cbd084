"""From network output to detections (paper section 2.2, "Inference"; detection_output_layer.cpp).

Softmax; scores above 0.01; the top 400 of each class; non-maximum suppression of overlaps above 0.45 within a class;
the top 200 of an image. Boxes are clipped only if the limits say so. Equal scores of an image are ordered by class,
then by default box.

A score above 0.01 is a candidate. Only candidates of higher scores suppress it, so that the top 200 of an image follow
from its best few hundred candidates over all classes; more are examined only where these yield fewer than 200.
On a GPU the first candidates are examined in fixed shapes (graphed.py), with equal detections.
Letters: B images, K default boxes, C classes with background as class 0, N detections in all images, M candidates in
all images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from itertools import accumulate
from math import inf, log
from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor
from torchvision.ops import batched_nms, nms

from ssd_core.boxes.coding import decode
from ssd_core.boxes.frames import to_xyxy
from ssd_core.detection.graphed import graphed_detections
from ssd_core.detection.limits import PAPER_LIMITS, DetectionLimits
from ssd_core.detection.packing import Flat
from ssd_core.detection.predicting import predict
from ssd_core.network.model import Detector

FIRST_BOXES = 2
"""Number of default boxes of an image whose candidates are examined first, per detection that an image may have."""

MORE_BOXES = 8
"""Factor by which this number grows where it yields too few detections."""

MOST_AT_ONCE = 5_000
"""Number of candidates that are compared with each other at once on a GPU, where the images of a batch share a call.

The work grows with its square, and from 25,000 on torchvision goes group by group, one call for each image and class.
"""


class Detections(NamedTuple):
    """Detections of a batch in flat arrays, ordered by image, then by descending score."""

    images: Int[Tensor, " N"]
    """Position in the batch."""

    labels: Int[Tensor, " N"]
    """0-based class without background."""

    scores: Float[Tensor, " N"]
    boxes_xyxy: Float[Tensor, "N 4"]
    """Fractions of the image; they may extend beyond [0, 1] unless the limits clip them."""

    def cpu(self) -> Detections:
        return Detections(*(values.cpu() for values in self))


@torch.no_grad()
def detect(detector: Detector, images: Shaped[Tensor, "B 3 S S"], limits: DetectionLimits | None = None) -> Detections:
    """Detect objects in RGB images in 0..255, all of the detector's input size."""
    limits = limits or PAPER_LIMITS
    predicted = predict(detector, images, detector.default_boxes, flip=limits.flip)
    return detections(*predicted, detector.spec.variances, limits)


@torch.no_grad()
def detections(
    locations: Float[Tensor, "B K 4"],
    logits: Float[Tensor, "B K C"],
    default_boxes_cxcywh: Float[Tensor, "K 4"],
    variances: tuple[float, float],
    limits: DetectionLimits | None = None,
    *,
    static_shapes: bool | None = None,
    first: Callable[..., tuple[Flat, list[bool]]] = graphed_detections,
) -> Detections:
    """Convert the output of the network to detections, in float32 or higher precision.

    `static_shapes` selects how they are computed; by default it is true on a GPU. `first` then returns the detections
    among the first candidates of each image, and for each image whether these are all.
    """
    limits = limits or PAPER_LIMITS
    predictions = _Predictions(locations, logits, default_boxes_cxcywh, variances)
    if (logits.is_cuda if static_shapes is None else static_shapes) and len(logits):
        return _completed(predictions, limits, *first(*predictions, limits))
    return _detections(predictions.precise(), limits, FIRST_BOXES * limits.per_image)


class _Predictions(NamedTuple):
    """Output of the network for a batch."""

    locations: Float[Tensor, "B K 4"]
    logits: Float[Tensor, "B K C"]
    default_boxes_cxcywh: Float[Tensor, "K 4"]
    variances: tuple[float, float]

    def of(self, images: Int[Tensor, " R"]) -> _Predictions:
        """Return the predictions for some of the images."""
        return self._replace(locations=self.locations[images], logits=self.logits[images])

    def precise(self) -> _Predictions:
        """Return the predictions in float32 or higher precision."""
        precision = torch.promote_types(self.logits.dtype, torch.float32)
        return self._replace(locations=self.locations.to(precision), logits=self.logits.to(precision))

    def boxes_xyxy(self, images: Int[Tensor, " M"], boxes: Int[Tensor, " M"]) -> Float[Tensor, "M 4"]:
        return to_xyxy(decode(self.locations[images, boxes], self.default_boxes_cxcywh[boxes], self.variances))


class Candidates(NamedTuple):
    """Candidates of a batch, ordered by image, then by descending score, class and default box."""

    images: Int[Tensor, " M"]
    labels: Int[Tensor, " M"]
    boxes: Int[Tensor, " M"]
    """Positions among the default boxes."""

    scores: Float[Tensor, " M"]


def _detections(predictions: _Predictions, limits: DetectionLimits, count: int) -> Detections:
    """Return the detections, examining `count` default boxes of each image, or more where these yield too few."""
    logits = predictions.logits
    candidates, bar = best_candidates(logits, count, limits.min_score, dense=logits.is_cuda)
    group = candidates.images * logits.shape[2] + candidates.labels
    if count > limits.per_class:  # else no class has that many
        first = _rank_in(group) < limits.per_class
        candidates, group = Candidates(*(values[first] for values in candidates)), group[first]
    images, labels, boxes, scores = candidates
    boxes_xyxy = predictions.boxes_xyxy(images, boxes)
    if limits.clip:
        boxes_xyxy = boxes_xyxy.clamp(0, 1)
    kept = _suppress(boxes_xyxy, images, group, limits)
    kept = kept[_rank(images[kept]) < limits.per_image]
    found = Detections(images[kept], labels[kept], scores[kept], boxes_xyxy[kept])
    counts = torch.zeros_like(bar).index_add_(0, found.images, torch.ones_like(found.scores))
    short = ((counts < limits.per_image) & (bar > limits.min_score)).nonzero().flatten()
    if not len(short):
        return found
    return _replaced(found, short, _detections(predictions.of(short), limits, MORE_BOXES * count))


def _completed(predictions: _Predictions, limits: DetectionLimits, first: Flat, complete: list[bool]) -> Detections:
    """Return the detections; those of incomplete images are computed with dynamic shapes."""
    found = Detections(*first)
    if all(complete):
        return found
    short = torch.tensor([image for image, each in enumerate(complete) if not each], device=predictions.logits.device)
    others = _detections(predictions.of(short).precise(), limits, FIRST_BOXES * limits.per_image)
    return _replaced(found, short, others)


def _replaced(found: Detections, images: Int[Tensor, " R"], others: Detections) -> Detections:
    """Return the detections with those of `images` replaced by others, which count only these images."""
    stay = ~torch.isin(found.images, images)
    others = others._replace(images=images[others.images])
    both = [torch.cat([values[stay], more]) for values, more in zip(found, others, strict=True)]
    order = both[0].argsort(stable=True)
    return Detections(*(values[order] for values in both))


def best_candidates(
    logits: Float[Tensor, "B K C"], count: int, min_score: float, *, dense: bool
) -> tuple[Candidates, Float[Tensor, " B"]]:
    """Return the candidates above a bar in each image, and the bar.

    At most `count` default boxes have a score above it. If it is `min_score`, these are all candidates.
    `dense` selects the computation for a GPU; both give the same candidates.
    """
    rows = _dense_rows(logits, count) if dense else _sparse_rows(logits, count, min_score)
    image, box, scores, bar = rows
    bar = bar.clamp(min=min_score)
    row, label = (scores > bar[image, None]).nonzero(as_tuple=True)
    score = scores[row, label]
    order = label.argsort(stable=True)  # rows are ordered by image, then by box
    order = order[score[order].argsort(descending=True, stable=True)]
    order = order[image[row[order]].argsort(stable=True)]
    row = row[order]
    return Candidates(image[row], label[order], box[row], score[order]), bar


def _dense_rows(
    logits: Float[Tensor, "B K C"], count: int
) -> tuple[Int[Tensor, " R"], Int[Tensor, " R"], Float[Tensor, "R D"], Float[Tensor, " B"]]:
    """Return image, default box and class scores of the `count` boxes with the highest scores, and the next one's.

    On a GPU nothing here waits for the device.
    """
    top = logits.softmax(dim=2)[..., 1:].amax(dim=2).topk(min(count + 1, logits.shape[1]), dim=1)
    bar = top.values[:, count] if top.values.shape[1] > count else top.values.new_zeros(len(logits))
    box = top.indices[:, :count].sort(dim=1).values
    image = torch.arange(len(logits), device=logits.device)[:, None].expand_as(box)
    scores = logits[image, box].softmax(dim=2)[..., 1:]
    return image.flatten(), box.flatten(), scores.flatten(0, 1), bar


def _sparse_rows(
    logits: Float[Tensor, "B K C"], count: int, min_score: float
) -> tuple[Int[Tensor, " R"], Int[Tensor, " R"], Float[Tensor, "R D"], Float[Tensor, " B"]]:
    """Return image, default box and class scores of all boxes with a candidate, and the score of box `count` + 1.

    On a CPU the softmax of all boxes would take most of the time. A score is at most 1 / (1 + exp(background - own)).
    """
    share = 0.999 * min(max(min_score, 0), 1)  # less than `min_score` by more than rounding
    likely = _highest(logits) - logits[..., 0] > (log(share / (1 - share)) if share else -inf)
    image, box = likely.nonzero(as_tuple=True)
    scores = logits.flatten(0, 1).index_select(0, image * logits.shape[1] + box).softmax(dim=1)
    parts = torch.split(_highest(scores), likely.sum(dim=1).tolist())
    bar = [float(part.topk(count + 1).values[count]) if len(part) > count else 0.0 for part in parts]
    return image, box, scores[:, 1:], logits.new_tensor(bar)


def _highest(values: Float[Tensor, "*batch C"]) -> Float[Tensor, "*batch"]:
    """Return the highest value without that of background; on a CPU, with 20 classes, in a third of `amax`'s time."""
    values = values[..., 1:]
    while (count := values.shape[-1]) > 4:  # halves of an odd number share the value in the middle
        values = torch.maximum(values[..., : (count + 1) // 2], values[..., count // 2 :])
    return reduce(torch.maximum, values.unbind(dim=-1))


def _suppress(
    boxes_xyxy: Float[Tensor, "M 4"], images: Int[Tensor, " M"], group: Int[Tensor, " M"], limits: DetectionLimits
) -> Int[Tensor, " N"]:
    """Apply greedy suppression within each group in the order of the candidates; return the positions of those kept.

    Of an image with more than enough detections, some are left out.
    """
    if not len(images):
        return images
    # groups are separated by shifting each along the diagonal, which requires non-negative coordinates; in float32 a
    # shift by hundreds would lose the last digits of the overlap
    boxes = boxes_xyxy.double() - boxes_xyxy.amin()
    sizes = images.bincount().tolist()
    if images.is_cuda:
        falling = -torch.arange(len(images), device=images.device, dtype=torch.float64)
        return torch.cat(
            [
                start + batched_nms(boxes[start:stop], falling[start:stop], group[start:stop], limits.max_iou)
                for start, stop in spans(sizes, MOST_AT_ONCE)
            ]
        )
    apart = boxes + (group * (boxes.amax() + 1))[:, None]
    stops = list(accumulate(sizes))
    return torch.cat([_kept(apart, start, stop, limits) for start, stop in zip([0, *stops], stops, strict=False)])


def _kept(boxes_xyxy: Float[Tensor, "M 4"], start: int, stop: int, limits: DetectionLimits) -> Int[Tensor, " N"]:
    """Return the positions of the boxes from start to stop that greedy suppression keeps, at least the first of them.

    On a CPU each box is compared with all later ones, so that a few are added at a time to those kept so far, until
    these suffice.
    """
    kept = torch.empty(0, dtype=torch.long)
    while start < stop and len(kept) < limits.per_image:
        more = min(start + limits.per_image * 5 // 4, stop)
        kept = torch.cat([kept, torch.arange(start, more)])
        kept = kept[nms(boxes_xyxy[kept], -kept.double(), limits.max_iou)]
        start = more
    return kept


def spans(sizes: Sequence[int], most: int) -> Iterator[tuple[int, int]]:
    """Yield (start, stop) of consecutive images with at most `most` candidates together, or of a single image."""
    start = stop = 0
    for size in sizes:
        if stop > start and stop + size - start > most:
            yield start, stop
            start = stop
        stop += size
    yield start, stop


def _rank(ordered: Int[Tensor, " M"]) -> Int[Tensor, " M"]:
    """Return for ascending values how many earlier ones are equal."""
    return torch.arange(len(ordered), device=ordered.device) - torch.searchsorted(ordered, ordered)


def _rank_in(group: Int[Tensor, " M"]) -> Int[Tensor, " M"]:
    """Return how many earlier values are equal."""
    ordered, order = group.sort(stable=True)
    return torch.empty_like(order).scatter_(0, order, _rank(ordered))
