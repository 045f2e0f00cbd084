"""How few of a network's predictions become detections. The paper's by default; plain data, without torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DetectionLimits:
    """Paper section 2.2, "Inference", and detection_output_layer.cpp."""

    min_score: float = 0.01
    """Exclusive."""

    per_class: int = 400
    """Boxes of a class in an image that enter the suppression; known only from the released code."""

    max_iou: float = 0.45
    """Of two boxes that overlap by more, the one with the lower score goes; at exactly this both stay."""

    per_image: int = 200

    clip: bool = False
    """Boxes are cut to the image before the suppression, as torchvision does; the original never cuts them there."""


PAPER_LIMITS = DetectionLimits()
