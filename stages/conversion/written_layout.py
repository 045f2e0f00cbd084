"""The layouts that can be written."""

from __future__ import annotations

from typing import Literal

WrittenLayout = Literal["voc", "coco", "yolo"]
