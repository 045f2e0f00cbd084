"""Arguments on which the kernels of the suppression must find what torch's operators find, and this comparison.

    TRITON_INTERPRET=1 python tests/ssd_core/detection/fused_cases.py

compares them on a CPU, through Triton's interpreter, and prints the name of each case with "equal" or "different".
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ssd_core.boxes.default_boxes import default_boxes
from ssd_core.boxes.frames import to_cxcywh
from ssd_core.detection import fused
from ssd_core.detection.graphed import Arguments
from ssd_core.detection.limits import DetectionLimits
from ssd_core.detection.packing import pack
from ssd_core.detection.static_suppression import PASSES, static_detections
from ssd_core.spec.paper import ssd300

VARIANCES = (0.1, 0.2)

LIMITS = (
    DetectionLimits(),
    DetectionLimits(per_image=20, per_class=10),
    DetectionLimits(min_score=0.3, per_image=7),
    DetectionLimits(max_iou=0.05, clip=True, per_image=15),
)


def grid(count: int, generator: torch.Generator) -> Tensor:
    """Default boxes with corners in sixty-fourths, so that many overlaps are equal."""
    low = torch.randint(0, 56, (count, 2), generator=generator)
    high = low + torch.randint(1, 30, (count, 2), generator=generator)
    return to_cxcywh(torch.cat([low, high], dim=1) / 64)


def cases() -> Iterator[tuple[str, Arguments]]:
    """Yield the cases by name."""
    generator = torch.Generator().manual_seed(0)
    for steps, limits in zip((1, 1000, 1, 1000), LIMITS, strict=True):  # with few steps, equal scores are common
        logits = (2 * steps * torch.randn(2, 700, 4, generator=generator)).round() / steps
        locations, boxes_cxcywh = torch.zeros(2, 700, 4), grid(700, generator)
        yield f"{steps} steps, {limits}", Arguments(locations, logits, boxes_cxcywh, VARIANCES, limits)

    boxes_cxcywh = default_boxes(ssd300())
    for background in (2.0, 12.0):  # from 170,000 candidates in the batch to few
        logits = 1.5 * torch.randn(2, len(boxes_cxcywh), 21, generator=generator)
        logits[..., 0] += background
        locations = torch.randn(2, len(boxes_cxcywh), 4, generator=generator)
        drawn = Arguments(locations, logits, boxes_cxcywh, VARIANCES, DetectionLimits())
        yield f"the paper's boxes, background {background}", drawn
    logits[1, 5, 3] = float("nan")
    locations[0, :700] = float("inf")
    yield "scores and boxes that are not finite", drawn

    place = torch.tensor([[0.5, 0.5, 0.5, 0.5]]).repeat(20_000, 1)
    logits = torch.rand(1, 20_000, 2, generator=generator)
    yield "all in one place", Arguments(torch.zeros(1, 20_000, 4), logits, place, VARIANCES, DetectionLimits())
    few = torch.zeros(3, 1, 4), torch.randn(3, 1, 2, generator=generator)
    yield "one box", Arguments(*few, boxes_cxcywh[:1], VARIANCES, DetectionLimits())


def chain() -> Arguments:
    """Boxes that each overlap the next: every second one is kept, as the best one decides."""
    low = torch.arange(4 * PASSES) / 64
    boxes_xyxy = torch.stack([low, torch.zeros_like(low), low + 4 / 64, torch.ones_like(low)], dim=1)
    logits = torch.stack([torch.zeros_like(low), 3 - low], dim=1)[None]
    locations = torch.zeros(1, len(low), 4)
    return Arguments(locations, logits, to_cxcywh(boxes_xyxy), VARIANCES, DetectionLimits())


def equal(predictions: Arguments) -> bool:
    """Return whether the kernels find what torch's operators find."""
    found, complete = fused.fused_detections(*predictions).read()
    expected, known = pack(static_detections(*predictions), predictions.limits.per_image).read()
    pairs = zip(found, expected, strict=True)
    return complete == known and all(torch.equal(own.nan_to_num(9), other.nan_to_num(9)) for own, other in pairs)


def main() -> None:
    fused.PAIRS = 2**15  # few programs, since the interpreter runs them one after another
    for name, predictions in cases():
        print(name, "equal" if equal(predictions) else "different", sep=": ")
    found, complete = fused.fused_detections(*chain()).read()
    print("a long chain", "equal" if complete == [True] and len(found[0]) == 2 * PASSES else "different", sep=": ")


if __name__ == "__main__":
    main()
