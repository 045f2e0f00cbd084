"""Differences between two computations of the same thing, each with the tolerance that decides about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ssd_core.detection.decoding import Detections


@dataclass(frozen=True, kw_only=True)
class Check:
    """A difference and the largest one allowed."""

    difference: float
    tolerance: float
    measure: str
    """What the difference is."""

    details: Mapping[str, Any] | None = None

    @property
    def passed(self) -> bool:
        return self.difference <= self.tolerance  # false for NaN

    def document(self) -> dict[str, Any]:
        content = {"passed": self.passed, "difference": self.difference, "tolerance": self.tolerance}
        return content | {"measure": self.measure} | ({"details": dict(self.details)} if self.details else {})


def close(values: Mapping[str, Tensor], reference: Mapping[str, Tensor], tolerance: float) -> Check:
    """Compare tensors by the norm of the difference over the norm of the reference; the worst tensor decides."""
    errors = {name: relative_error(values[name], tensor) for name, tensor in reference.items()}
    worst = max(errors, key=lambda name: (errors[name] != errors[name], errors[name]))  # NaN is worst
    return Check(
        difference=errors[worst],
        tolerance=tolerance,
        measure="norm of the difference / norm of the reference, of the worst tensor",
        details={"worst": worst, "tensors": len(errors)},
    )


def relative_error(values: Tensor, reference: Tensor) -> float:
    values, reference = values.detach().cpu().double(), reference.detach().cpu().double()
    return float((values - reference).norm() / reference.norm().clamp(min=1e-30))


def same_choices(values: Tensor, reference: Tensor, tolerance: float) -> Check:
    """Compare integers or masks by the share of entries that differ."""
    differ = int((values.cpu() != reference.cpu()).sum())
    share = differ / max(1, reference.numel())
    details = {"differ": differ, "entries": reference.numel()}
    return Check(difference=share, tolerance=tolerance, measure="share of entries that differ", details=details)


SCORE = 1e-4
BOX = 1e-3


def same_detections(
    found: Detections,
    reference: Detections,
    tolerance: float,
    *,
    score: float = SCORE,
    box: float = BOX,
    least: float = 0.0,
) -> Check:
    """Compare detections by the share that has no partner in the other set, in either direction.

    A partner is in the same image, has the same label, a score within `score` and coordinates within `box` (fractions
    of the image). Detections with nearly equal scores may therefore swap ranks; two that differ may not. Only those
    with a score of `least` need a partner; there must be some.
    """
    found, reference = found.cpu(), reference.cpu()
    lonely = sum(_without_partner(*pair, score, box, least) for pair in ((found, reference), (reference, found)))
    counts = [int((side.scores >= least).sum()) for side in (found, reference)]
    return Check(
        difference=lonely / sum(counts) if sum(counts) else 1.0,
        tolerance=tolerance,
        measure=f"share of detections from score {least:g} on without a partner "
        f"(same label, score within {score:g}, box within {box:g})",
        details={
            "detections": counts[0],
            "reference": counts[1],
            "equal order of labels": _same_order(found, reference),
        },
    )


def _without_partner(found: Detections, others: Detections, score: float, box: float, least: float) -> int:
    lonely = 0
    for image in set(found.images.tolist()):
        own, other = (found.images == image) & (found.scores >= least), others.images == image
        alike = found.labels[own][:, None] == others.labels[other]
        alike &= (found.scores[own][:, None] - others.scores[other]).abs() <= score
        alike &= (found.boxes_xyxy[own][:, None] - others.boxes_xyxy[other]).abs().amax(dim=2) <= box
        lonely += int((~alike.any(dim=1)).sum())
    return lonely


def _same_order(found: Detections, reference: Detections) -> bool:
    return torch.equal(found.labels, reference.labels) and torch.equal(found.images, reference.images)
