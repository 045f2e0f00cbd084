"""Decode text files: lists, CSV, YAML and detections. A byte order mark decides; without one the text must be UTF-8.

XML and JSON state or imply their encoding themselves; their parsers decode them.
"""

from __future__ import annotations

import codecs

from pipeline.errors import PipelineError

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks, as Windows writes them, and their encodings."""


def decode_text(content: bytes, file: str) -> str:
    """Return the text of a file without its byte order mark.

    Raises PipelineError with line, byte and remedy when it is not text in one of these encodings.
    """
    mark, encoding = _encoding(content)
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise PipelineError(_undecodable(content, len(mark) + error.start, file, encoding)) from error
    if "\0" in text:
        raise PipelineError(
            f"{file}, line {text.count(chr(10), 0, text.index(chr(0))) + 1}: holds a NUL character, as UTF-16 without "
            "a byte order mark and binary files do; save it as UTF-8"
        )
    return text


def decode_beginning(content: bytes) -> str:
    """Return the first bytes of a file as text, whatever they hold: enough to recognise what it is."""
    mark, encoding = _encoding(content)
    return content[len(mark) :].decode(encoding, errors="replace")


def numbered_lines(content: bytes, file: str) -> list[tuple[int, str]]:
    """Return number, from 1, and text of each line that is not blank, without surrounding blanks. Errors as above."""
    lines = enumerate(decode_text(content, file).splitlines(), start=1)
    return [(number, line.strip()) for number, line in lines if line.strip()]


def _encoding(content: bytes) -> tuple[bytes, str]:
    """Byte order mark at the beginning, or b"", and the encoding."""
    return next(((mark, name) for mark, name in MARKS if content.startswith(mark)), (b"", "utf-8"))


def _undecodable(content: bytes, place: int, file: str, encoding: str) -> str:
    line = content.count(b"\n", 0, place) + 1
    return (
        f"{file}, line {line}: byte 0x{content[place]:02x} at position {place} is not {encoding.upper()}; "
        "save the file as UTF-8 (it may be Latin-1 or Windows-1252)"
    )
