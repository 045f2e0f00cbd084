"""What a user names as pictures, in order: files, folders, patterns, videos, and standard input.

Pictures are read one at a time, when they are needed.
"""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from pipeline.errors import PipelineError
from stages.datasets.files_below import is_image
from stages.datasets.image_check import SUFFIXES
from stages.inference.video import frames, is_video

if TYPE_CHECKING:
    from stages.inference.pictures import Picture

STANDARD_INPUT = "-"


@dataclass(frozen=True)
class Source:
    """A picture that was named, directly or by its folder."""

    name: str
    """What messages and results call it: its path, `-`, or `video.mp4#12`."""

    place: str
    """Relative path for files written about it, without an extension."""

    read: Callable[[], Picture]


@dataclass(frozen=True)
class Named:
    """A file that was named, and its path below the folder that was named."""

    file: Path
    below: str


def sources(names: Sequence[str], stdin: IO[bytes], *, every: int = 1) -> list[Source] | Iterator[Source]:
    """All pictures, in the order of the names; every `every`-th frame of a video.

    A list where their number is known, an iterator where a video is among them. Raises PipelineError for a name that
    means nothing.
    """
    listed = _listed(names, stdin.read() if STANDARD_INPUT in names else b"")
    unique = _Places()
    if any(isinstance(item, Named) and is_video(item.file) for item in listed):
        return (source for item in listed for source in _sources(item, unique, every))
    return [source for item in listed for source in _sources(item, unique, every)]


def _listed(names: Iterable[str], piped: bytes) -> list[Named | bytes]:
    """Files and, for a picture on standard input, its bytes."""
    found: list[Named | bytes] = []
    for name in names:
        if name != STANDARD_INPUT:
            found += _meant_by(name)
        elif (lines := _lines(piped)) is None:
            found.append(piped)
        else:
            found += [Named(Path(line).expanduser(), Path(line).name) for line in lines]
    if not found:
        raise PipelineError("no picture was named: standard input is empty")
    return found


def _lines(content: bytes) -> list[str] | None:
    """Paths, one a line; None if this is no text but a picture, all of whose formats have bytes that no text has."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else [line.strip() for line in text.splitlines() if line.strip()]


def _meant_by(name: str) -> list[Named]:
    """The files that an argument means. Raises PipelineError when there are none."""
    path = Path(name).expanduser()
    if path.is_dir():
        return _in_folder(path)
    if path.is_file():
        return [Named(path, path.name)]
    if not glob.has_magic(name):
        raise PipelineError(f"there is no picture, video or folder {name}")
    paths = sorted(Path(path.anchor or ".").glob(str(path.relative_to(path.anchor))))
    found = [named for each in paths for named in _matched(each)]
    if not found:
        raise PipelineError(f"the pattern {name} matches no picture or video")
    return found


def _matched(path: Path) -> list[Named]:
    return [Named(path, path.name)] if path.is_file() and (is_image(path.name) or is_video(path)) else []


def _in_folder(folder: Path) -> list[Named]:
    files = sorted(file for file in folder.rglob("*") if is_image(file.name) or is_video(file))
    visible = [file for file in files if not any(part.startswith(".") for part in file.relative_to(folder).parts)]
    if not visible:
        raise PipelineError(f"{folder} holds no picture ({', '.join(SUFFIXES)}) and no video")
    return [Named(file, file.relative_to(folder).as_posix()) for file in visible]


def _sources(item: Named | bytes, unique: _Places, every: int) -> Iterator[Source]:
    if isinstance(item, bytes):
        yield Source(STANDARD_INPUT, unique("stdin"), partial(_given, item))
    elif is_video(item.file):
        yield from _frames(item.file, unique(item.below), every)
    else:
        yield Source(str(item.file), unique(item.below), partial(_given, item.file))


def _frames(file: Path, place: str, every: int) -> Iterator[Source]:
    """The frames of a video; one source that cannot be read for a broken video."""
    try:
        for number, pixels in frames(file, every):
            yield Source(f"{file}#{number}", f"{place}-{number:06d}", partial(_given, pixels))
    except PipelineError as error:
        yield Source(str(file), place, partial(_refused, error))


def _given(picture: Picture) -> Picture:
    return picture


def _refused(error: PipelineError) -> Picture:
    raise error


class _Places:
    """Gives each picture a place of its own: dog.jpg of two folders become `dog` and `dog-2`."""

    def __init__(self) -> None:
        self._given: Counter[str] = Counter()

    def __call__(self, path: str) -> str:
        stem = str(PurePosixPath(path).with_suffix(""))
        place, number = stem, 1
        while self._given[place.casefold()]:
            number += 1
            place = f"{stem}-{number}"
        self._given[place.casefold()] += 1
        return place
