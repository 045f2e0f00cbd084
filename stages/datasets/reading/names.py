"""The one rule for names of images in lists, annotations and detections.

Blanks around a name, backslashes, a leading `./` or `/`, and `..` inside it do not matter. A name means the file at
that path below the root, or below one of the folders searched, with its extension, without, or with that of another
image format. A name without folders also means a file in a subfolder of these, if only one has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from posixpath import normpath, splitext

from stages.datasets.image_check import SUFFIXES

_RANK = {suffix: rank for rank, suffix in enumerate(SUFFIXES)}


def normalised(name: str) -> str:
    """Return a name with forward slashes, without blanks around it and without `./`, leading `/` and `..`."""
    path = normpath("/" + name.strip().replace("\\", "/")).lstrip("/")
    return "" if path == "." else path


def stem(name: str) -> str:
    """Return a normalised name without the extension of an image; `img.v2` and other dots stay."""
    whole, suffix = splitext(name)
    return whole if suffix.lower() in SUFFIXES else name


class ImageNames:
    """The image files that a split may use, by every name that may mean them."""

    def __init__(self, paths: Iterable[str], *, places: Sequence[str] = ("",), others: Sequence[str] = ()) -> None:
        """`paths` are relative to the root of the data set; `places` are folders below it, the most likely first.

        Files in the folders `others`, which belong to other splits, are found by their path from the root only. Of
        files that differ in their extension alone, the one whose extension comes first in SUFFIXES wins.
        """
        ranked = sorted(paths, key=lambda path: (_RANK.get(splitext(path)[1].lower(), len(_RANK)), path))
        self._exact = dict.fromkeys(ranked)
        self._stems: dict[str, str] = {}
        self._alone: dict[str, str | None] = {}
        self._places = [f"{place}/" if place else "" for place in places]
        self._others = tuple(f"{other}/" for other in others)
        within = tuple(self._places)
        for path in ranked:
            whole = stem(path)
            self._stems.setdefault(whole, path)
            if path.startswith(within) and not path.startswith(self._others):
                first = self._alone.setdefault(whole.rpartition("/")[2], path)
                if first is not None and stem(first) != whole:
                    self._alone[whole.rpartition("/")[2]] = None  # several images have this name

    def find(self, name: str) -> str | None:
        """Return the path of the file that a name means; None when there is none, or several could be meant."""
        wanted = normalised(name)
        whole = stem(wanted)
        starts = dict.fromkeys(("", *self._places) if "/" in wanted else (*self._places, ""))
        for start in starts:
            if (path := start + wanted) in self._exact and self._may_use(path, start):
                return path
        for start in starts:
            if (found := self._stems.get(start + wanted) or self._stems.get(start + whole)) and self._may_use(
                found, start
            ):
                return found
        return None if "/" in wanted else self._alone.get(whole)

    def _may_use(self, path: str, start: str) -> bool:
        """Whether a file found below the folder `start` may be used: one of another split only by its whole path."""
        return not start or not path.startswith(self._others)


def match_names(names: Iterable[str], ids: Iterable[str]) -> Mapping[str, str]:
    """Map names of images, as detections may write them, to the ids of a data set; names without an id are absent.

    A name means an id that it equals; else, normalised and without extension, the one id that it equals then; else the
    one id that ends with it as its last part.
    """
    known = dict.fromkeys(ids)
    loose: dict[str, str | None] = {}
    for image_id in known:
        whole = stem(normalised(image_id))
        for key in {whole, whole.rpartition("/")[2]}:
            if loose.setdefault(key, image_id) != image_id:
                loose[key] = None
    found = {name: name if name in known else _loosely(name, loose) for name in dict.fromkeys(names)}
    return {name: image_id for name, image_id in found.items() if image_id is not None}


def _loosely(name: str, loose: Mapping[str, str | None]) -> str | None:
    whole = stem(normalised(name))
    return loose.get(whole) or loose.get(whole.rpartition("/")[2])
