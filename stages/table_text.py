"""A table as text: aligned for a terminal, Markdown, CSV. Percent with one decimal; CSV in fractions."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from stages.table import Table
from stages.tabulate import Line

SCALES = {
    "full": "",
    "short": "Preset short: the paper's detector on a shorter schedule. These are not the paper's conditions.",
    "tiny": "Preset tiny: another detector on other images. Compare the changes between rows, never the level.",
}


def as_text(stage: Table, lines: Sequence[Line]) -> str:
    """Aligned columns."""
    header, rows = cells(stage, lines)
    table = [header, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    texts = [_aligned(row, widths) for row in table]
    texts.insert(1, "-" * max(map(len, texts)))
    return "\n".join([stage.title, *_notes(stage, lines), "", *texts]) + "\n"


def as_markdown(stage: Table, lines: Sequence[Line]) -> str:
    header, rows = cells(stage, lines)
    ruler = ["---", *["---:"] * (len(header) - 1)]
    table = ["| " + " | ".join(row) + " |" for row in (header, ruler, *rows)]
    return "\n".join([f"### {stage.title}", "", *_notes(stage, lines), "", *table]) + "\n"


def as_csv(stage: Table, lines: Sequence[Line]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    bounds = ["change_low", "change_high"]
    writer.writerow(
        [stage.row_title, stage.column_title or "column", "boxes", "paper", "ours", "spread", "seeds", "difference",
         "paper_change", "change", *bounds]
    )  # fmt: skip
    for line in lines:
        low, high = line.change_interval or ("", "")
        writer.writerow(
            [line.row, line.column, line.boxes, line.published, line.mean, line.spread, len(line.values),
             line.difference, line.published_change, line.change, low, high]
        )  # fmt: skip
    return out.getvalue()


def cells(stage: Table, lines: Sequence[Line]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the printed table."""
    header = [
        stage.row_title,
        stage.column_title,
        "boxes",
        stage.published_title,
        "ours",
        "difference",
        f"{stage.published_title}'s change",
        "our change",
    ]
    rows = [
        [
            line.row,
            line.column,
            str(line.boxes),
            _percent(line.published),
            _ours(line),
            _signed(line.difference),
            _signed(line.published_change),
            _change(line),
        ]
        for line in lines
    ]
    if not stage.column_title:
        header, rows = _without(header, 1), [_without(row, 1) for row in rows]
    return header, rows


def _notes(stage: Table, lines: Sequence[Line]) -> list[str]:
    notes = [SCALES.get(stage.preset, f"Preset {stage.preset}.")]
    seeds = max((len(line.values) for line in lines), default=0)
    first = "Change is against the first row, with the 95 % interval over resampled test images"
    notes.append(f"{first}; {seeds} seed{'s' if seeds != 1 else ''}. * marks a change that the test images support.")
    return [note for note in notes if note]


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    first = row[0].ljust(widths[0])
    return "  ".join([first, *(text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True))])


def _without(items: list[str], place: int) -> list[str]:
    return items[:place] + items[place + 1 :]


def _ours(line: Line) -> str:
    if line.mean is None:
        return "not run"
    return _percent(line.mean) + (f" ± {_percent(line.spread)}" if line.spread is not None else "")


def _change(line: Line) -> str:
    if line.change is None or line.change_interval is None:
        return ""
    low, high = line.change_interval
    supported = "*" if low > 0 or high < 0 else " "
    return f"{_signed(line.change)} [{_signed(low)}, {_signed(high)}]{supported}"


def _percent(fraction: float | None) -> str:
    return "" if fraction is None else f"{100 * fraction:.1f}"


def _signed(fraction: float | None) -> str:
    return "" if fraction is None else f"{100 * fraction:+.1f}"
