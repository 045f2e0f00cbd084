"""A table in LaTeX, for a paper: booktabs rules, percent with one decimal, conditions in the caption."""

from __future__ import annotations

from collections.abc import Sequence

from stages.tables.content import Line, TableContent
from stages.tables.layout import Entry, Layout, conditions, lay_out

SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "±": r"$\pm$", "−": r"$-$", "√": r"$\surd$", "×": r"$\times$", "≥": r"$\geq$", "≤": r"$\leq$", "·": r"$\cdot$",
}  # fmt: skip
MARKS = {"supported": r"\textsuperscript{*}"}


def as_latex(table: TableContent, lines: Sequence[Line]) -> str:
    """The table as a `table` environment; it needs `\\usepackage{booktabs}`."""
    layout = lay_out(table, lines)
    columns = "l" + "r" * (len(layout.header) - 1)
    caption = " ".join([f"{table.title}", *conditions(table, lines)])
    body = [_row([_entry(entry) for entry in row]) for row in layout.rows]
    parts = [
        "% \\usepackage{booktabs}",
        "\\begin{table}",
        "\\centering",
        f"\\caption{{{latex(caption)}}}",
        f"\\begin{{tabular}}{{{columns}}}",
        "\\toprule",
        *_groups(layout),
        _row([latex(name) for name in layout.header]),
        "\\midrule",
        *body,
        "\\bottomrule",
        "\\end{tabular}",
        "\\end{table}",
    ]
    return "\n".join(parts) + "\n"


def latex(text: str) -> str:
    """Plain text with LaTeX's special characters escaped."""
    return "".join(SPECIAL.get(letter, letter) for letter in text)


def _groups(layout: Layout) -> list[str]:
    if not layout.groups:
        return []
    return [_row([f"\\multicolumn{{{columns}}}{{c}}{{{latex(title)}}}" for title, columns in layout.groups])]


def _entry(entry: Entry) -> str:
    if entry.meaning != "name" and entry.text[:1] in ("+", "-"):
        value, bracket, interval = entry.text.replace("±", r"\pm").partition(" [")
        return f"${value}$" + (f" $[{interval}$" if bracket else "") + MARKS.get(entry.meaning, "")
    return latex(entry.text)


def _row(texts: Sequence[str]) -> str:
    return " & ".join(texts) + r" \\"
