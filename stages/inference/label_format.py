"""Layouts in which detections can be written as annotations; plain data, without torch."""

from __future__ import annotations

from typing import Literal

LabelFormat = Literal["voc", "coco", "yolo"]
