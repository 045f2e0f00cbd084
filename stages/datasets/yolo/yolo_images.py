"""The images of a split in YOLO layout, each with the label file that belongs to it.

Tested in tests/stages/datasets/yolo/test_yolo_folder.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from posixpath import dirname

from pipeline.folder import Folder
from stages.datasets.files_below import files_below, folders_below, is_image
from stages.datasets.reading.names import normalised
from stages.datasets.reading.text import numbered_lines
from stages.datasets.yolo.yolo_folders import label_files, parallel


@dataclass(frozen=True, kw_only=True)
class YoloImage:
    """One image of a split."""

    file: str
    """Path inside the folder; as the list has it when the file is missing. Also the id of the image."""

    bytes: int
    """0 when the file is missing."""

    found: bool
    labels: str
    """Path of its label file, which need not exist: then the image has no objects."""

    labelled: bool


@dataclass(frozen=True, kw_only=True)
class YoloSplit:
    """The images of a split, repetitions included, and the label files that belong to no image of its folders."""

    images: Sequence[YoloImage]
    orphans: Sequence[str]


def split_files(folder: Folder, places: Sequence[str]) -> YoloSplit:
    """Images in these folders and lists, in their order; within a folder sorted by path."""
    images, orphans = list[YoloImage](), list[str]()
    for place in places:
        files = dict(_searched(folder, place))
        paths = _listed(folder, place, files) if _is_list(place) else [path for path in files if _lies_in(path, place)]
        own = [_image(path, files) for path in paths if _is_list(place) or is_image(path)]
        images += own
        if not _is_list(place):
            used = {image.labels for image in own}
            orphans += (path for path in files if is_text(path) and path not in used)
    return YoloSplit(images=images, orphans=orphans)


def searched_folders(folder: Folder, places: Sequence[str]) -> list[str]:
    """Folders in which `split_files` looks."""
    starts = {start for place in places for start in _starts(place)}
    return list(dict.fromkeys(inner for start in sorted(starts) for inner in folders_below(folder, start)))


def lists_of(places: Sequence[str]) -> list[str]:
    """Those of the places that are lists of images."""
    return list(filter(_is_list, places))


def is_text(path: str) -> bool:
    """Whether a file may hold labels; those of an image are only found with the extension in small letters."""
    return path.lower().endswith(".txt")


def _is_list(place: str) -> bool:
    return place.endswith(".txt")


def _starts(place: str) -> Iterable[str]:
    """Folders whose files may belong to a folder of images, or to a list: that may name any image."""
    return ("",) if _is_list(place) else dict.fromkeys((place, parallel(place)))


def _searched(folder: Folder, place: str) -> Iterator[tuple[str, int]]:
    for start in _starts(place):
        yield from files_below(folder, start)


def _lies_in(path: str, place: str) -> bool:
    return not place or path.startswith(f"{place}/")


def _image(path: str, files: Mapping[str, int]) -> YoloImage:
    places = label_files(path)
    labels = next((each for each in places if each in files), "")
    return YoloImage(
        file=path,
        bytes=files.get(path, 0),
        found=path in files,
        labels=labels or places[0],
        labelled=bool(labels),
    )


def _listed(folder: Folder, file: str, files: Mapping[str, int]) -> list[str]:
    """Paths of the images that a list names, relative to it, to the data set, or to a folder of another machine.

    All names share what has to be dropped or put before them, so that no other file stands in for a missing one.
    """
    content = folder.read_bytes(file)
    names = [normalised(line) for _, line in numbered_lines(content, f"{folder.uri}/{file}")]
    moves = Counter(move for name in names if (move := _move(name, dirname(file), files)))
    if not moves:
        return names
    (start, beginning), _ = moves.most_common(1)[0]
    return [f"{start}{name.removeprefix(beginning)}" if name.startswith(beginning) else name for name in names]


def _move(name: str, beside: str, files: Mapping[str, int]) -> tuple[str, str] | None:
    """What to put before a name, and which beginning of it to drop, so that it is the path of a file."""
    parts = name.split("/")
    for dropped in range(len(parts)):
        end = "/".join(parts[dropped:])
        for start in dict.fromkeys((f"{beside}/" if beside else "", "")):
            if start + end in files:
                return start, name.removesuffix(end)
    return None
