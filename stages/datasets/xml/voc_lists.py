"""Split lists in VOC layout: `ImageSets/Main/<split>.txt`, with an image per line: its id, file name or path.

A list may have the devkit's second column of 1, 0 and -1, which says of each image whether it shows a class. The list
of a class and a split, such as cat_train.txt, is not a split itself; in any other list the column is not read.

Tested in tests/stages/datasets/xml/test_voc_files.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.suggestion import suggestion
from stages.datasets.reading.names import normalised
from stages.datasets.reading.text import numbered_lines
from stages.datasets.reading.values import shown
from stages.datasets.source import file_names
from stages.datasets.voc_parts import SPLITS

DEVKIT = ("train", "val", "trainval", "test")
"""Splits that a list of a class may refer to, besides those that have a list."""

COLUMN = ("1", "0", "-1")
LONGEST, LONGEST_PATH = 240, 2000
"""Largest number of bytes of a name and of a path; Linux has limits of 255 and 4,096."""

_ENDINGS = tuple(f"{blank}{value}" for blank in " \t" for value in COLUMN)
_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class SplitList:
    """The lines of a list, in order."""

    file: str
    """Path inside the folder."""

    names: Sequence[str]
    """Images as the list names them, repetitions included."""

    column: bool
    """Whether a second column was passed over."""


def splits_of(folder: Folder) -> list[str]:
    """Names of the splits; errors as in `splits_in`."""
    return splits_in(folder, SPLITS, _of_class)


def splits_in(folder: Folder, place: str, of_class: Callable[[str, Sequence[str]], bool]) -> list[str]:
    """Names of the lists of splits in a folder of lists.

    Those of a class are passed over: they have the second column, and `of_class` accepts their name, given all names.
    Raises PipelineError when no list remains, with the lists that were passed over.
    """
    names = _names(folder / place)
    passed = [name for name in names if of_class(name, names) and _has_column(_lines(folder, place, name))]
    if len(names) == len(passed):
        found = f"are only lists of classes, whose lines end in 1, 0 or -1: {_shown(names)}" if names else "is no .txt"
        raise PipelineError(
            f"{folder.uri}/{place} holds no list of a split: there {found}. "
            "Write train.txt and test.txt with one image id per line"
        )
    return [name for name in names if name not in passed]


def read_list(folder: Folder, split: str, is_image: Callable[[str], bool]) -> SplitList:
    """Read the list of a split; errors as in `list_names`.

    `is_image` decides whether a whole line, which may contain blanks, names an image.
    """
    names = list_names(folder, SPLITS, split)
    column = _has_column(names)
    ids = [name if not column or is_image(name) else name.rsplit(maxsplit=1)[0] for name in names]
    return SplitList(file=f"{SPLITS}/{split}.txt", names=ids, column=ids != names)


def list_names(folder: Folder, place: str, split: str) -> list[str]:
    """The lines of the list of a split, in a folder of lists.

    Raises PipelineError for a list that is missing, empty or not text, and for a line that cannot be a name.
    """
    if names := _lines(folder, place, split):
        return names
    raise PipelineError(f"split {split!r} of {folder.uri} is empty: {place}/{split}.txt lists no image")


def _lines(folder: Folder, place: str, split: str) -> list[str]:
    file = f"{place}/{split}.txt"
    if not folder.is_file(file):
        raise PipelineError(
            f"{folder.uri} has no split {split!r} ({file}); {suggestion(split, _names(folder / place))}"
        )
    lines = numbered_lines(folder.read_bytes(file), f"{folder.uri}/{file}")
    for number, line in lines:
        if not _may_be_file(line):
            raise PipelineError(
                f"{folder.uri}/{file}, line {number}: {shown(line)} names no image; write one image id per line"
            )
    return [line for _, line in lines]


def _of_class(name: str, names: Sequence[str]) -> bool:
    """Whether a list is named after a class and a split."""
    return any(name.endswith(f"_{split}") for split in (*DEVKIT, *names))


def _names(folder: Folder) -> list[str]:
    return [name.removesuffix(".txt") for name in file_names(folder) if name.endswith(".txt")]


def _may_be_file(name: str) -> bool:
    """Whether a name, with an extension added, is one that file systems accept."""
    if 4 * len(name) <= LONGEST and ".." not in name:  # no character has more than four bytes; this is the quick way
        return bool(name.strip("./\\ "))
    path = normalised(name).encode()
    return 0 < len(path) <= LONGEST_PATH and max(map(len, path.split(b"/"))) <= LONGEST


def _has_column(lines: Sequence[str]) -> bool:
    return bool(lines) and all(line.endswith(_ENDINGS) for line in lines)


def _shown(names: Sequence[str]) -> str:
    listed = ", ".join(f"{name}.txt" for name in names[:_SHOWN])
    return f"{listed} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else listed
