"""Protocol buffer wire format: the fields of one message by number, without a schema.

Wire types: 0 varint, 1 eight bytes, 2 a length followed by that many bytes, 5 four bytes (groups, 3 and 4, are
deprecated). Source: the encoding guide of Protocol Buffers.

Tested in tests/ssd_core/weights/layouts/test_caffemodel.py.
"""

from __future__ import annotations

from collections.abc import Iterator

_FIXED = {1: 8, 5: 4}


def fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield the number and value of each field: an int for a varint, else the bytes.

    Raises ValueError if the bytes are not a message.
    """
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, position = _varint(message, position)
            yield number, value
            continue
        if kind == 2:
            length, position = _varint(message, position)
        elif kind in _FIXED:
            length = _FIXED[kind]
        else:
            raise ValueError(f"not a protocol buffer: field {number} has wire type {kind} at byte {position}")
        if number == 0 or position + length > len(message):
            raise ValueError(f"truncated protocol buffer: field {number} needs {length} bytes at byte {position}")
        yield number, message[position : position + length]
        position += length


def varints(packed: memoryview) -> Iterator[int]:
    """Yield the numbers of a packed field."""
    position = 0
    while position < len(packed):
        value, position = _varint(packed, position)
        yield value


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    """Return the number at a position and the position after it: seven bits per byte, lowest first."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(message):
            break
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError(f"truncated protocol buffer: unterminated number at byte {position}")
