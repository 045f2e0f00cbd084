"""Which published data set the drawn one is like, in its classes or in its layout."""

from __future__ import annotations

from typing import Literal

Likeness = Literal["voc", "coco"]
