"""The graph for other runtimes detects what `detections` does, bit for bit where the network's output is the same."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ssd_core.boxes.default_boxes import default_boxes
from ssd_core.detection.decoding import detect
from ssd_core.detection.exportable import DetectionOutput, plain_loop
from ssd_core.detection.limits import DetectionLimits
from ssd_core.network.model import Detector
from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.tiny import ssd_tiny


class Recorded(Detector):
    """Stands for a detector whose output is known."""

    def __init__(self, spec: DetectorSpec, locations: Tensor, logits: Tensor) -> None:
        nn.Module.__init__(self)
        self.spec, self.output = spec, (locations, logits)
        self.register_buffer("default_boxes", default_boxes(spec))

    def forward(self, _: Tensor) -> tuple[Tensor, Tensor]:
        return self.output


def compared(logits_of: str, limits: DetectionLimits, classes: int) -> tuple[list[Tensor], list[Tensor]]:
    """The detections by `detect`, and by the graph, in flat arrays."""
    spec = ssd_tiny(tuple(f"class {number}" for number in range(classes)))
    generator = torch.Generator().manual_seed(0)
    locations = torch.randn(3, spec.box_count, 4, generator=generator)
    logits = 3 * torch.randn(3, spec.box_count, classes + 1, generator=generator)
    if logits_of == "ties":
        logits = logits.round()
    if logits_of == "nothing in the second image":
        logits[1, :, 0] = 50
    detector, pixels = Recorded(spec, locations, logits), torch.zeros(3, 3, 1, 1)
    own = detect(detector, pixels, limits)
    boxes, scores, labels, counts = DetectionOutput(detector, limits, plain_loop)(pixels)
    images, place = (labels >= 0).nonzero(as_tuple=True)
    assert counts.tolist() == own.images.bincount(minlength=3).tolist()
    empty = labels < 0
    assert not boxes[empty].any()
    assert not scores[empty].any()
    return list(own), [images, labels[images, place], scores[images, place], boxes[images, place]]


@pytest.mark.parametrize("logits_of", ["", "ties", "nothing in the second image"])
@pytest.mark.parametrize(
    "limits",
    [
        DetectionLimits(per_image=60),
        DetectionLimits(per_image=60, clip=True, max_iou=0.3),
        DetectionLimits(min_score=0.9),
        DetectionLimits(per_class=5),
        DetectionLimits(per_image=60, flip=True),
        DetectionLimits(per_class=10_000, per_image=7),
        DetectionLimits(min_score=1.0),
    ],
    ids=str,
)
def test_the_graph_detects_the_same_as_decoding_bit_for_bit(logits_of: str, limits: DetectionLimits) -> None:
    for classes in (1, 4):
        own, other = compared(logits_of, limits, classes)
        for values, others in zip(own, other, strict=True):
            assert torch.equal(values, others)
