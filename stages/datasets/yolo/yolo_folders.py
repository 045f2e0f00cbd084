"""Where the parts of a data set in YOLO layout lie: the splits of one without a YAML, and the label file of an image.

Tested in tests/stages/datasets/yolo/test_yolo_folder.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import dirname, splitext

from pyarrow import fs

from pipeline.folder import Folder
from stages.datasets.files_below import is_image
from stages.datasets.source import entries, image_entries

NAMES_FILES = ("classes.txt", "obj.names", "labels/classes.txt", "data/obj.names", "data/classes.txt")
LISTS = ("train", "trainval", "val", "valid", "validation", "test")
ONLY_SPLIT = "train"
"""Name of the split of a data set that is not divided."""

IMAGES, LABELS = ("images", "JPEGImages"), "labels"


def splits_of_folders(folder: Folder) -> dict[str, list[str]]:
    """Folders and lists of images of each split: <split>.txt, images/<split>, <split>/images, or one split without."""
    for found in (_lists(folder), _within(folder, "images/{}"), _within(folder, "{}/images")):
        if found:
            return found
    whole = next((place for place in ("images", "") if any(_labelled(folder, place))), None)
    return {} if whole is None else {ONLY_SPLIT: [whole]}


def label_files(image: str) -> list[str]:
    """Paths at which the label file of an image may lie: in the parallel folder of labels, else beside the image."""
    beside = f"{splitext(image)[0]}.txt"
    return list(dict.fromkeys((parallel(beside), beside)))


def parallel(path: str) -> str:
    """The path with its last folder of images replaced by labels; unchanged when it has none."""
    parts = path.split("/")
    for place in reversed(range(len(parts))):
        if parts[place] in IMAGES:
            return "/".join((*parts[:place], LABELS, *parts[place + 1 :]))
    return path


def _lists(folder: Folder) -> dict[str, list[str]]:
    places = [place for place in ("{}.txt", "data/{}.txt") if any(folder.is_file(place.format(each)) for each in LISTS)]
    lists = {split: places[0].format(split) for split in LISTS} if places else {}
    return {split: [path] for split, path in lists.items() if folder.is_file(path)}


def _within(folder: Folder, pattern: str) -> dict[str, list[str]]:
    """Splits with a folder of images each, at a pattern such as images/{}."""
    above = dirname(pattern.partition("{}")[0])
    names = [str(each.base_name) for each in entries(folder / above if above else folder) if _is_folder(each)]
    places = {name: pattern.format(name) for name in names}
    return {name: [place] for name, place in places.items() if image_entries(folder / place)}


def _labelled(folder: Folder, place: str) -> Iterator[str]:
    """Images directly in a folder that have a label file."""
    for entry in entries(folder / place if place else folder):
        path = f"{place}/{entry.base_name}".lstrip("/")
        if is_image(path) and any(map(folder.is_file, label_files(path))):
            yield path


def _is_folder(entry: fs.FileInfo) -> bool:
    return bool(entry.type == fs.FileType.Directory)
