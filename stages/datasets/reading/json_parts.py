"""Decode JSON in parts: a file is split into the members of its object or list, which are decoded one by one.

Only the file and one member are in memory at a time, besides what the caller keeps. msgspec does this at twenty times
the speed of Python's parser, which reads only what msgspec refuses: NaN and Infinity, which Python also writes.

Tested in tests/stages/datasets/coco/test_coco_folder.py.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

from pipeline.errors import PipelineError
from stages.datasets.reading.text import decode_text
from stages.datasets.reading.values import shown

Part = Any
"""A member: undecoded (msgspec.Raw), or a value that Python's parser has decoded."""

T = TypeVar("T")

_REFUSED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_SPLIT = msgspec.json.Decoder(dict[str, msgspec.Raw] | list[msgspec.Raw])


def split_json(content: bytes, file: str) -> Part:
    """Split a file into a dictionary or list of parts; any other value is decoded. UTF-8, UTF-16 and UTF-32 are read.

    Raises PipelineError with the position when it is not valid JSON, or nested too deeply.
    """
    return _split(_as_utf8(content, file), file)


def members(part: Part, place: str) -> list[Part]:
    """Return the parts of a list; none when it is null. Raises PipelineError when it is not a list."""
    found = _split(part, place) if isinstance(part, msgspec.Raw) else part
    if found is None:
        return []
    if not isinstance(found, list):
        raise PipelineError(f"{place} is {'an object' if isinstance(found, dict) else shown(found)}, not a list")
    return found


def typed(decoder: msgspec.json.Decoder[T], part: Part) -> T | None:
    """Decode a part to the type of the decoder; None when it does not have this type exactly."""
    if not isinstance(part, msgspec.Raw):
        return None
    try:
        return decoder.decode(part)
    except _REFUSED:
        return None


def fields_of(part: Part, place: str) -> dict[str, Any]:
    """Decode a part that is an object. Raises PipelineError when it is not."""
    value = _exact(bytes(part), place) if isinstance(part, msgspec.Raw) else part
    if not isinstance(value, dict):
        raise PipelineError(f"{place} is {shown(value)}, not an object")
    return value


def _split(content: bytes | memoryview | msgspec.Raw, place: str) -> Part:
    try:
        return _SPLIT.decode(content)
    except _REFUSED:
        return _exact(bytes(content), place)


def _exact(content: bytes, place: str) -> Any:
    """Decode with Python's parser, whose errors state line and column."""
    try:
        return json.loads(decode_text(content, place))
    except ValueError as error:
        raise PipelineError(f"{place} is not valid JSON: {error}") from error
    except RecursionError as error:
        raise PipelineError(f"{place} is not valid: its JSON is nested too deeply") from error


def _as_utf8(content: bytes, file: str) -> bytes | memoryview:
    """The content in UTF-8, without a byte order mark."""
    encoding = json.detect_encoding(content)
    if encoding == "utf-8":
        return content
    if encoding == "utf-8-sig":
        return memoryview(content)[3:]
    try:
        return content.decode(encoding).encode()
    except UnicodeError as error:
        raise PipelineError(f"{file} is not {encoding.upper()}: {error}; save it as UTF-8") from error
