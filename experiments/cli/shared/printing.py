"""Formatting for printed output: aligned columns, percent with one decimal, sizes, durations, operations.

Tested in tests/experiments/cli/shared/test_printing.py and tests/experiments/cli/data/test_app.py.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from textwrap import wrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.folder import Folder

NARROWEST = 16
"""Width down to which the words of the last column of a table are kept whole or broken."""


def columns(rows: Iterable[Sequence[str]]) -> str:
    """Rows of cells as aligned text, with two spaces between columns.

    On a terminal that is too narrow, the widest cells continue on further lines; if that is not enough, long words of
    the last column do.
    """
    from pipeline.terminal import visible

    cells = [list(map(visible, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    least = [max([8, *(len(word) for row in cells for word in row[at].split())]) for at in range(len(widths))]
    for each in (least, [*least[:-1], NARROWEST]):
        widths = narrowed(widths, each, text_width())
    parts = [[_wrapped(cell, width) for cell, width in zip(row, widths, strict=True)] for row in cells]
    lines = (line for row in parts for line in zip_longest(*row, fillvalue=""))
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(line.rstrip() for line in padded)


def _wrapped(cell: str, width: int) -> list[str]:
    breaks_words = max(map(len, cell.split()), default=0) > width
    return wrap(cell, width, break_on_hyphens=breaks_words) if len(cell) > width else [cell]


def narrowed(widths: Sequence[int], least: Sequence[int], room: int | None) -> list[int]:
    """The widths, the largest reduced until all columns fit; none below its least."""
    widths = list(widths)
    while room and sum(widths) + 2 * (len(widths) - 1) > room:
        reducible = [at for at in range(len(widths)) if widths[at] > least[at]]
        if not reducible:
            break
        widths[max(reducible, key=lambda at: widths[at])] -= 1
    return widths


def text_width() -> int | None:
    """Columns of the terminal; None where the output goes to a file or a pipe, unless COLUMNS is set."""
    return shutil.get_terminal_size((0, 0)).columns or None


def wrapped(text: str, head: str) -> str:
    """The head and the text, whose further lines start below its first. Words, such as paths, are never broken."""
    from pipeline.terminal import visible_lines

    width, indent = text_width(), "\n" + " " * len(head)
    lines = [
        line
        for part in visible_lines(text).splitlines()
        for line in (_whole_words(part, max(width - len(head), 20)) if width else [part])
    ]
    return head + indent.join(lines)


def _whole_words(text: str, width: int) -> list[str]:
    return wrap(text, width, break_on_hyphens=False, break_long_words=False)


def setting(name: str, value: str, *, head: str = "", note: str = "") -> str:
    """The line of a setting and its value, continued on further lines where the terminal is narrower."""
    start = f"{head}{name} = "
    line, room = f"{start}{value}{note}", text_width()
    if not room or len(line) <= room:
        return line
    return wrapped(", ".join(part.strip() for part in f"{value}{note}".split(",")), start)


def percent(fraction: float) -> str:
    return f"{100 * fraction:.1f}"


def size(count: int) -> str:
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} bytes"


def duration(seconds: float) -> str:
    """A duration such as `0:07` or `2:03:40`; from two days on such as `3.1 days`."""
    from pipeline.display.board import clock

    return clock(seconds) if seconds < 2 * 86_400 else f"{seconds / 86_400:,.1f} days"


def operations(count: float) -> str:
    """Number of floating-point operations such as `361.4 PFLOP`."""
    for unit, scale in (("EFLOP", 1e18), ("PFLOP", 1e15), ("TFLOP", 1e12)):
        if count >= scale:
            return f"{count / scale:,.1f} {unit}"
    return f"{count / 1e9:,.1f} GFLOP"


def note_links(store: Folder) -> None:
    """Warn of links in a store, which commands on the whole store do not follow."""
    from pipeline.store.unfollowed import links_of
    from pipeline.terminal import warn

    if links := links_of(store):
        more = f" and {len(links) - 3} more" if len(links) > 3 else ""
        warn(f"links in the store {store.shown} are not followed: {', '.join(links[:3])}{more}")
