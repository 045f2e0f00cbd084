"""The evaluation protocols, and the name of the validation curve."""

from __future__ import annotations

from typing import Literal

Protocol = Literal["voc", "ilsvrc", "coco"]
"""`voc` gives the metrics of both its rules, 11 points and area."""

CURVE_NAME = "validation/mAP"
"""Curve of the kept checkpoints' scores on a validation split."""
