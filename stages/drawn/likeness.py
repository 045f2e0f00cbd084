"""The published data set that a drawn one resembles, in its classes or its layout."""

from __future__ import annotations

from typing import Literal

Likeness = Literal["voc", "coco"]
