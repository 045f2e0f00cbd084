"""The one way in for what is read back from a store, which may be damaged or come from somebody else.

JSON has a type, a largest size and a largest depth; whatever exceeds them is unreadable. A name that becomes part of a
path leads nowhere else.

Tested in tests/experiments/cli/store/test_hostile.py.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from pipeline.object_store import TooLarge

if TYPE_CHECKING:
    from pipeline.folder import Folder

DEPTH = 64
"""Most lists and objects within each other."""

LARGEST = 64 << 20
"""Bytes of a file that is read as one JSON value: a manifest of some 400,000 files."""

LARGEST_LOG = 1 << 30
"""Bytes of a file of JSON lines: events or a curve."""

_NAME = r"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\Z"
_PATH = r"(?s)\A(?!(?:.*/)?\.{0,2}(?:/|\Z))[^\0]+\Z"

Name = Annotated[str, Meta(pattern=_NAME)]
"""Name of a file or folder in the store, such as a key or an attempt."""

RelativePath = Annotated[str, Meta(pattern=_PATH, max_length=4096)]
"""Path of a file below a folder, without an empty part, `.` or `..`."""

Moment = Annotated[float, Meta(ge=0, le=1e11)]
"""Seconds, or seconds since 1970: dates up to the year 5138."""

Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]

T = TypeVar("T")


class Unreadable(ValueError):
    """A value is not valid JSON or has another type, or is too large or too deep; the message says which."""


def is_name(text: str) -> bool:
    return re.search(_NAME, text) is not None


def read_typed(folder: Folder, name: str, decoder: msgspec.json.Decoder[T]) -> T:
    """A file as a value of the decoder's type. Raises Unreadable, and OSError."""
    return decoded(read_limited(folder, name, LARGEST), decoder)


def read_limited(folder: Folder, name: str, most: int) -> bytes:
    """The content of a file. Raises Unreadable when it has more than `most` bytes, and OSError."""
    if folder.objects:
        try:
            return folder.objects.read(name, most).content
        except TooLarge as error:
            raise Unreadable(f"it has {error.size:,} bytes, more than {most:,}") from error
    with folder.open_input(name) as stream:
        if (size := stream.size()) > most:
            raise Unreadable(f"it has {size:,} bytes, more than {most:,}")
        return bytes(stream.read())


def decoded(content: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """A value of the decoder's type. Raises Unreadable."""
    try:
        return decoder.decode(content)
    except msgspec.ValidationError as error:
        raise Unreadable(f"it has another form: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _converted(content, decoder)
    except RecursionError as error:
        raise Unreadable("it is nested too deeply") from error


def _converted(content: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """A value by Python's parser, which also reads what it writes itself: NaN, Infinity, text that is not Unicode."""
    try:
        value: T = checked(json.loads(content), decoder.type)
    except Unreadable:
        raise
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"it is not valid JSON: {error}") from error
    return value


def checked(value: Any, kind: Any) -> Any:
    """A decoded value as another type. Raises Unreadable."""
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, UnicodeError) as error:
        raise Unreadable(f"it has another form: {error}") from error


def refuse_deep(*values: Any) -> None:
    """Raise Unreadable when lists and objects of a value without a type are nested deeper than `DEPTH`."""
    level = [value for value in values if isinstance(value, dict | list)]
    for _ in range(DEPTH):
        if not level:
            return
        parts = [part for value in level for part in (value.values() if isinstance(value, dict) else value)]
        level = [part for part in parts if isinstance(part, dict | list)]
    raise Unreadable(f"it is nested deeper than {DEPTH} levels")
