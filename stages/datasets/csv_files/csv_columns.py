"""Columns of the CSV layout: which are needed, which are read if present, and which look misspelled.

Tested in tests/stages/datasets/csv_files/test_csv_boxes.py.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence

from pipeline.suggestion import nearest

CORNERS = ("xmin", "ymin", "xmax", "ymax")
IMAGE, CLASS, CROWD = ("image", "filename"), ("class", "label"), ("iscrowd", "crowd")
"""Columns with two names; a file may have both where each row has one value."""

SPLIT = "split"
REQUIRED = (IMAGE, *((name,) for name in CORNERS), CLASS)
OPTIONAL = ("difficult", *CROWD, "width", "height", SPLIT)
KNOWN = {name for names in REQUIRED for name in names} | {*OPTIONAL}
NEAR = 0.85
"""Similarity at which an unknown column counts as a misspelling: splits of split, but not weight of height."""

SEPARATORS = (",", ";", "\t")


def separator(first_line: str) -> str:
    """The separator that splits the first line into most known columns."""
    return max(SEPARATORS, key=lambda each: len(KNOWN & {*header(first_line, each)}))


def header(first_line: str, separator: str) -> list[str]:
    """Column names in lower case, without surrounding blanks."""
    return [column.strip().lower() for column in next(csv.reader([first_line], delimiter=separator), [])]


def lacking(columns: Sequence[str]) -> list[str]:
    """The required columns that a header lacks; of those with two names, the first."""
    return [names[0] for names in REQUIRED if not {*names} & {*columns}]


def slip(columns: Sequence[str]) -> str:
    """Describe a repeated column or a misspelled optional one; "" when there is neither."""
    if twice := [name for name in columns if name and columns.count(name) > 1]:
        return f"two columns are named {twice[0]!r}"
    absent = [name for name in OPTIONAL if name not in columns]
    for name in columns:
        if name not in KNOWN and (meant := nearest(name, absent, cutoff=NEAR)):
            return f"column {name!r} looks like a misspelling of {meant[0]!r}: rename it to that or to something else"
    return ""


def unread(columns: Sequence[str]) -> list[str]:
    """Columns that mean nothing to the reader."""
    return [name or "without a name" for name in columns if name not in KNOWN]
