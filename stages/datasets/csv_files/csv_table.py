"""Read CSV files of boxes into rows by column name: any separator of `SEPARATORS`, UTF-8 or UTF-16, and their splits.

Tested in tests/stages/datasets/csv_files/test_csv_boxes.py.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.suggestion import nearest, suggestion
from stages.datasets.csv_files.csv_columns import CORNERS, REQUIRED, SPLIT, header, lacking, separator, slip
from stages.datasets.reading.text import decode_beginning, decode_text
from stages.datasets.source import file_names

LONGEST_HEADER = 65536
"""Bytes that are read of a file to recognise its columns."""

SHOWN = 10
"""Largest number of bad rows in a message."""

USUAL_SPLITS = ("train", "val", "valid", "validation", "trainval", "test")
NEAR_SPLIT = 0.7
"""Similarity at which a name of a split counts as a misspelling: tset of test, but not fold1 of fold2."""


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be read, and why."""

    number: int
    """Number of its line, from 1."""

    reason: str

    def __str__(self) -> str:
        return f"line {self.number}: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class CsvTable:
    """The rows of a file, blank ones excluded."""

    columns: Sequence[str]
    lines: Sequence[tuple[int, Sequence[str]]]
    """Number of each line, and a value for each column."""

    bad: Sequence[BadRow]
    """Rows with too many or too few values."""

    def rows(self) -> Iterator[tuple[int, Mapping[str, str]]]:
        """Number of the line, and the values by column."""
        for number, cells in self.lines:
            yield number, dict(zip(self.columns, map(str.strip, cells), strict=False))


def read_table(folder: Folder, file: str) -> CsvTable:
    """Read a file whole. Raises PipelineError when it is not text, or not a CSV."""
    place = f"{folder.uri}/{file}"
    text = decode_text(folder.read_bytes(file), place)
    between = separator(_first_line(text))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=between)
    try:
        columns = [column.strip().lower() for column in next(reader, [])]
        lines = [(reader.line_num, cells) for cells in reader if any(map(str.strip, cells))]
    except csv.Error as error:
        raise PipelineError(f"{place}, line {reader.line_num}: {error}") from error
    bad = {number: cells for number, cells in lines if not _fits(cells, columns)}
    return CsvTable(
        columns=columns,
        lines=[(number, cells) for number, cells in lines if number not in bad],
        bad=[BadRow(number, f"{len(cells)} values for {len(columns)} columns") for number, cells in bad.items()],
    )


def _fits(cells: Sequence[str], columns: Sequence[str]) -> bool:
    """Whether a row has a value for each column; separators at its end do not count."""
    return len(cells) == len(columns) or (len(cells) > len(columns) and not any(map(str.strip, cells[len(columns) :])))


def refuse(folder: Folder, file: str, bad: Iterable[BadRow]) -> None:
    """Raise PipelineError that lists bad rows, if there are any."""
    rows = sorted(bad, key=lambda row: row.number)
    place = f"{folder.uri}/{file}"
    if len(rows) == 1:
        raise PipelineError(f"{place}, {rows[0]}")
    if rows:
        rest = f"\n  and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
        raise PipelineError(
            f"{place}: {len(rows)} rows cannot be read:" + "".join(f"\n  {row}" for row in rows[:SHOWN]) + rest
        )


def columns_of(folder: Folder) -> dict[str, list[str]]:
    """Column names of each CSV file in a folder, by its name; reads only the first lines."""
    return {name: _header(folder, name) for name in file_names(folder) if name.lower().endswith(".csv")}


def csv_files(folder: Folder, only: str = "") -> list[str]:
    """Names of the CSV files whose header has the columns of a box; `only` is one that the user named.

    Raises PipelineError when, besides these, a file has most of the columns: its boxes would go unread.
    """
    if only:
        if lacking(has := _header(folder, only)):
            raise PipelineError(f"{folder.uri}/{describe(only, has)}")
        return [only]
    columns = columns_of(folder)
    complete = [name for name, has in columns.items() if not lacking(has)]
    for name, has in columns.items() if complete else ():
        if 0 < len(lacking(has)) <= len(REQUIRED) // 2:
            raise PipelineError(f"{folder.uri}/{describe(name, has)}: add them, or move the file elsewhere")
    return complete


def describe(name: str, columns: Sequence[str]) -> str:
    """Describe which columns of a box a file lacks, and which columns it has."""
    if not any(columns):
        return f"{name} is empty"
    absent = lacking(columns)
    hint = ""
    if {"x", "y"} <= {*columns} and {*CORNERS} <= {*absent}:
        hint = "; boxes are read as corners, xmax = x + width and ymax = y + height"
    return f"{name} lacks the columns {', '.join(absent)}; it has {', '.join(columns)}{hint}"


def splits_of(folder: Folder, only: str = "") -> list[str]:
    """Names of the splits: the values of the column split in a single file, or else the names of the files.

    Raises PipelineError for a name of a column or split that looks misspelled: its lines would be in a wrong split.
    """
    files = csv_files(folder, only)
    for name in files:
        if wrong := slip(_header(folder, name)):
            raise PipelineError(f"{folder.uri}/{name}: {wrong}")
    if len(files) == 1 and SPLIT in _header(folder, files[0]):
        table = read_table(folder, files[0])
        counts = Counter(row[SPLIT] for _, row in table.rows() if row[SPLIT])
        if not counts:
            refuse(folder, files[0], [*table.bad, *without_split(table)])
        _refuse_misspelled(f"{folder.uri}/{files[0]}", counts, table)
        return sorted(counts)
    return [name[: -len(".csv")] for name in files]


def without_split(table: CsvTable) -> Iterator[BadRow]:
    """Rows that belong to no split."""
    if SPLIT in table.columns:
        yield from (BadRow(number, "the column split is empty") for number, row in table.rows() if not row[SPLIT])


def file_of(folder: Folder, split: str, only: str = "") -> str:
    """Name of the file that holds a split."""
    files, splits = csv_files(folder, only), splits_of(folder, only)
    if split not in splits:
        raise PipelineError(f"{folder.uri} has no split {split!r} in a CSV; {suggestion(split, splits)}")
    return files[0] if len(files) == 1 else next(name for name in files if name[: -len(".csv")] == split)


def _header(folder: Folder, name: str) -> list[str]:
    with folder.open_input(name) as file:
        first = _first_line(decode_beginning(file.read(LONGEST_HEADER)))
    return header(first, separator(first))


def _first_line(text: str) -> str:
    return next(iter(text.splitlines()), "")


def _refuse_misspelled(place: str, counts: Mapping[str, int], table: CsvTable) -> None:
    """Raise PipelineError for a split whose name is almost that of a usual one which the file has too."""
    usual = [name for name in USUAL_SPLITS if name in counts]
    for name in counts:
        meant = nearest(name, usual, cutoff=NEAR_SPLIT) if name not in USUAL_SPLITS else []
        if meant and not (name.startswith(meant[0]) and counts[name] * 10 >= counts[meant[0]]):
            first = next(number for number, row in table.rows() if row[SPLIT] == name)
            raise PipelineError(
                f"{place}, line {first}: split {name!r}, in {counts[name]} of {sum(counts.values())} rows, looks "
                f"like a misspelling of {meant[0]!r}: correct it, or choose another name"
            )
