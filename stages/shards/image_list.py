"""Images that are known before anything is computed, each under one name for all data sets that hold it.

VOC2012's 2007_000027 is VOC2007's 000027. A COCO image keeps its number in 2014 (COCO_val2014_000000000042), in 2017
(000000000042), in trainval35k and in minival. Within one data set two splits may call different images alike, for
numbers of COCO are unique within one file only: there the files of the images are compared.

Tested in tests/stages/shards/test_overlap.py.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from pipeline.stage import Stage

RECOGNISED = ("voc ", "coco ")
"""How the identities of recognised sets begin."""


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """The file of an image, wherever it is kept."""

    source: str
    """Name of the data set."""

    size: int
    """In bytes."""

    read: Callable[[], bytes]

    def is_same(self, other: Encoded) -> bool:
        return self.size == other.size and self.read() == other.read()


def no_files(wanted: Collection[str]) -> Mapping[str, Encoded]:  # noqa: ARG001 - as all lists are asked for them
    return {}


@dataclass(frozen=True, kw_only=True)
class ImageList:
    """Images that are known before anything is computed."""

    name: str
    """Data set and split."""

    place: str = ""
    """Where they lie."""

    identities: frozenset[str] = frozenset()
    """Empty where they are not known before the stage has run."""

    files: Callable[[Collection[str]], Mapping[str, Encoded]] = no_files
    """The files of some of them, as far as there are any."""

    def shared(self, other: ImageList) -> frozenset[str]:
        """Identities of the images that are in both."""
        alike = self.identities & other.identities
        own, others = self.files(alike), other.files(alike)
        there = own.keys() & others.keys()
        return frozenset(
            each
            for each in there
            if own[each].is_same(others[each])
            or (each.startswith(RECOGNISED) and own[each].source != others[each].source)
        )


class ListsImages(Stage):
    """A stage whose images can be listed before it has run."""

    @abstractmethod
    def listed_images(self) -> tuple[ImageList, ...]:
        """One list for each data set and split."""


@lru_cache(maxsize=64)
def identities(source: str, image_ids: tuple[str, ...]) -> frozenset[str]:
    return frozenset(identity(source, image_id) for image_id in image_ids)


def identity(source: str, image_id: str) -> str:
    """Equal for two names of one image; sets are recognised by their names, such as voc2007, VOC2012, coco-minival.

    Different images of two splits of one set may have one, too.
    """
    if re.match("voc", source, re.IGNORECASE):
        return f"voc {image_id}" if re.match(r"\d{4}_", image_id) else f"voc 2007_{image_id}"
    if re.match("coco", source, re.IGNORECASE) and (number := re.search(r"(\d+)$", image_id)):
        return f"coco {int(number[1])}"
    return f"{source} {image_id}"
