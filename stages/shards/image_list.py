"""Lists of images that are known before anything is computed, and the images that two of them share.

Equal bytes are one image, whatever its name, number and data set. VOC2012's 2007_000027 is VOC2007's 000027, and COCO's
COCO_val2014_000000000042 of 2014 is 000000000042 of 2017, even if one was encoded again. Other names mean nothing:
numbers often start anew in each file.

Tested in tests/stages/shards/test_overlap.py.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.stage import Stage

DIGESTS = "images.sha256"
"""File beside the shards: for each row, in their order, a line with the size in bytes and the SHA-256 of its image."""

_RENAMED = {
    "voc": re.compile(r"(?:2007_)?(\d{6})"),
    "coco": re.compile(r"(?:COCO_[a-z]+2014_)?(\d{12})"),
}
"""Names of images that a published data set, recognised by the beginning of its name, has renamed."""


class ListedFile(NamedTuple):
    """The encoded file of an image, on disk or in a shard."""

    image_id: str
    size: int
    """In bytes; 0 where there is no file."""

    place: str
    """URI of the file, or number of the row in its shards."""

    name: str
    """Name of the file without folder and extension; in shards the id of the image."""

    published: str
    """Name under which a published data set knows the image, else empty."""


@dataclass(frozen=True, kw_only=True)
class ImageList:
    """The images of one split of a data set."""

    name: str
    """Data set and split."""

    place: str = ""
    """Path or URI of the data set."""

    files: Callable[[], Sequence[ListedFile]] = tuple
    """Empty when they are unknown until the stage has run."""

    digest: Callable[[ListedFile], str] = str
    """SHA-256 of the content of one of the files."""

    def shared(self, other: ImageList) -> dict[str, str]:
        """Ids of the images that are in both lists, each with its id in the other one.

        Only files whose size occurs in the other list too are read.
        """
        own, others = ([file for file in images.files() if file.size] for images in (self, other))
        found = {**_renamed(own, others), **_same_place(own, others)}
        own = [file for file in own if file.image_id not in found]
        sizes = {file.size for file in own} & {file.size for file in others}
        contents: dict[str, list[str]] = {}
        for file in others:
            if file.size in sizes:
                contents.setdefault(other.digest(file), []).append(file.image_id)
        for file in own:
            if file.size in sizes and (same := contents.get(self.digest(file))):
                found[file.image_id] = file.image_id if file.image_id in same else same[0]
        return found


class ListsImages(Stage):
    """A stage whose images can be listed before it has run."""

    @abstractmethod
    def listed_images(self) -> tuple[ImageList, ...]:
        """One image list for each data set and split."""

    def objects_to_train(self, *, difficult: bool) -> tuple[int, int] | None:  # noqa: ARG002 - for subclasses
        """Number of images, and of objects to train on, with or without difficult ones; None while unknown."""
        return None


def published_name(source: str, name: str) -> str:
    """Name of an image that a published data set has under two names; empty for any other."""
    for prefix, pattern in _RENAMED.items():
        if source.lower().startswith(prefix) and (match := pattern.fullmatch(name)):
            return f"{prefix} {match[1]}"
    return ""


def _renamed(own: Iterable[ListedFile], others: Iterable[ListedFile]) -> dict[str, str]:
    """Images of published data sets that the other list has under their other name."""
    names: Mapping[str, ListedFile] = {file.published: file for file in others if file.published}
    pairs = ((file, names.get(file.published)) for file in own if file.published)
    return {file.image_id: other.image_id for file, other in pairs if other and other.name != file.name}


def _same_place(own: Iterable[ListedFile], others: Iterable[ListedFile]) -> dict[str, str]:
    places = {file.place: file.image_id for file in others if "/" in file.place}
    return {file.image_id: places[file.place] for file in own if file.place in places}
