"""Images that are known before anything is computed, each under one name for all data sets that hold it.

VOC2012's 2007_000027 is VOC2007's 000027. A COCO image keeps its number in 2014 (COCO_val2014_000000000042), in 2017
(000000000042), in trainval35k and in minival.

Tested in tests/stages/shards/test_overlap.py.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import dataclass
from functools import lru_cache

from pipeline.stage import Stage


@dataclass(frozen=True, kw_only=True)
class ImageList:
    """Images that are known before anything is computed."""

    name: str
    """Data set and split."""

    place: str = ""
    """Where they lie."""

    identities: frozenset[str] = frozenset()
    """Empty where they are not known before the stage has run."""


class ListsImages(Stage):
    """A stage whose images can be listed before it has run."""

    @abstractmethod
    def listed_images(self) -> tuple[ImageList, ...]:
        """One list for each data set and split."""


@lru_cache(maxsize=64)
def identities(source: str, image_ids: tuple[str, ...]) -> frozenset[str]:
    return frozenset(identity(source, image_id) for image_id in image_ids)


def identity(source: str, image_id: str) -> str:
    """Equal for two names of one image; sets are recognised by their names, such as voc2007, VOC2012, coco-minival."""
    if re.match("voc", source, re.IGNORECASE):
        return f"voc {image_id}" if re.match(r"\d{4}_", image_id) else f"voc 2007_{image_id}"
    if re.match("coco", source, re.IGNORECASE) and (number := re.search(r"(\d+)$", image_id)):
        return f"coco {int(number[1])}"
    return f"{source} {image_id}"
