"""Text on its way to a terminal or a log: no name in it hides what is there, or looks like a line that is not there.

Names of stages, classes and files come from stores and data sets. Control characters in them would move the cursor,
clear the screen or end a line; they are shown as they are written in Python, such as `\\x1b` and `\\n`.

Tested in tests/pipeline/test_terminal.py.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

from pipeline.redaction import redacted

_BEYOND_LINES = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"
"""Controls of ASCII and Latin-1, separators of lines, and marks that reverse the order of letters."""

_CONTROL = re.compile(f"[{_BEYOND_LINES}\t\n]")
_CONTROL_BEYOND_LINES = re.compile(f"[{_BEYOND_LINES}]")


def visible(text: str) -> str:
    """The text on one line, with all control characters shown."""
    return _CONTROL.sub(_escaped, text)


def visible_lines(text: str) -> str:
    """The text with all control characters shown, but for line feeds and tabs."""
    return _CONTROL_BEYOND_LINES.sub(_escaped, text)


def warn(text: str) -> None:
    """Print a warning of one line to stderr."""
    sys.stderr.write(f"warning: {visible(redacted(text))}\n")


class VisibleStream:
    """A text stream that shows control characters. A carriage return counts only where a text begins or ends with it:
    lines of progress do, and replace each other."""

    def __init__(self, stream: Any) -> None:
        self.terminal = stream
        """The stream itself, for a display that moves the cursor."""

    def write(self, text: str) -> int:
        inner = text.strip("\r")
        before, _, after = text.partition(inner) if inner else (text, "", "")
        self.terminal.write(f"{before}{visible_lines(inner)}{after}")
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.terminal, name)


class LogFormatter(logging.Formatter):
    """Log records without secrets. All lines of a record but the first are indented, so that none looks like another
    record."""

    def format(self, record: logging.LogRecord) -> str:
        return visible_lines(redacted(super().format(record))).replace("\n", "\n    ")


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()
