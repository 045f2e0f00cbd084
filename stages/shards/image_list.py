"""Lists of images that are known before anything is computed; an image has one identity in all data sets that hold it.

VOC2012's 2007_000027 is VOC2007's 000027. A COCO image keeps its number in 2014 (COCO_val2014_000000000042), in 2017
(000000000042), in trainval35k and in minival. Two splits of one data set may use a name for different images,
since numbers in COCO layout are unique within one file only: there the files of the images are compared.

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
"""Prefixes of the identities in recognised data sets."""


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """The encoded file of an image, on disk or in a shard."""

    source: str
    """Name of the data set."""

    size: int
    """In bytes."""

    read: Callable[[], bytes]

    def is_same(self, other: Encoded) -> bool:
        return self.size == other.size and self.read() == other.read()


def no_files(wanted: Collection[str]) -> Mapping[str, Encoded]:  # noqa: ARG001 - the signature of `ImageList.files`
    return {}


@dataclass(frozen=True, kw_only=True)
class ImageList:
    """The images of one split of a data set, by identity."""

    name: str
    """Data set and split."""

    place: str = ""
    """Path or URI of the data set."""

    identities: frozenset[str] = frozenset()
    """Empty when they are unknown until the stage has run."""

    files: Callable[[Collection[str]], Mapping[str, Encoded]] = no_files
    """Files by identity for the requested identities, as far as the files exist."""

    def shared(self, other: ImageList) -> frozenset[str]:
        """Identities of the images that are in both lists."""
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
        """One image list for each data set and split."""

    def objects_to_train(self, *, difficult: bool) -> tuple[int, int] | None:  # noqa: ARG002 - for subclasses
        """Number of images, and of objects to train on, with or without difficult ones; None while unknown."""
        return None


@lru_cache(maxsize=64)
def identities(source: str, image_ids: tuple[str, ...]) -> frozenset[str]:
    return frozenset(identity(source, image_id) for image_id in image_ids)


def identity(source: str, image_id: str) -> str:
    """Identity of an image, equal for all its names in VOC or COCO, recognised by names like voc2007, coco-minival.

    Different images of two splits of one data set may have equal identities.
    """
    if re.match("voc", source, re.IGNORECASE):
        return f"voc {image_id}" if re.match(r"\d{4}_", image_id) else f"voc 2007_{image_id}"
    if re.match("coco", source, re.IGNORECASE) and (number := re.search(r"(\d+)$", image_id)):
        return f"coco {int(number[1])}"
    return f"{source} {image_id}"
