"""How detections are scored, and the name under which a training is followed by its score."""

from __future__ import annotations

from typing import Literal

Protocol = Literal["voc", "ilsvrc", "coco"]
"""voc gives the numbers of both its rules, 11 points and area."""

CURVE_NAME = "validation/mAP"
"""Of kept checkpoints on a validation split."""
