"""How detections are scored."""

from __future__ import annotations

from typing import Literal

Protocol = Literal["voc", "ilsvrc", "coco"]
"""voc gives the numbers of both its rules, 11 points and area."""
