"""Limits on which predictions become detections: the paper's by default; plain data, without torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DetectionLimits:
    """Thresholds and counts of paper section 2.2, "Inference", and detection_output_layer.cpp."""

    min_score: float = 0.01
    """Lower bound of scores, exclusive."""

    per_class: int = 400
    """Boxes of a class in an image that enter the suppression; only in the released code."""

    max_iou: float = 0.45
    """Of two boxes with a larger overlap, the one with the lower score is removed; at exactly this both stay."""

    per_image: int = 200

    clip: bool = False
    """Clip boxes to the image before the suppression, as torchvision does; the original does not."""

    flip: bool = False
    """Predict on the mirrored image too, and suppress the boxes of both together: twice the work; not in the paper."""


PAPER_LIMITS = DetectionLimits()

LIMITS = "limits"
"""Prefix of their names beside the settings of a training."""
