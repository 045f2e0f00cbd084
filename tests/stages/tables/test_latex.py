"""A table in LaTeX."""

from __future__ import annotations

import re
from dataclasses import replace

from stages.tables.content import Line, TableContent
from stages.tables.latex import as_latex, latex

TABLE = TableContent(title="Table 0: 50 % of conv4_3 & more?", preset="full", row_title="layers", cells=())
FIRST = Line(row="conv4_3", column="", boxes=8732, published=0.743, values=(0.75, 0.76), per_class={})
SECOND = Line(
    row="conv7",
    column="",
    boxes=864,
    published=0.624,
    values=(0.65,),
    published_change=-0.119,
    change=-0.1,
    change_interval=(-0.12, -0.08),
    per_class={},
)


def test_special_characters_of_latex_are_escaped() -> None:
    assert latex("50 % of conv4_3 & #1") == r"50 \% of conv4\_3 \& \#1"


def test_every_row_has_as_many_entries_as_the_table_has_columns() -> None:
    text = as_latex(TABLE, [FIRST, SECOND])
    found = re.search(r"begin\{tabular\}\{(\w+)\}", text)
    assert found is not None
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 3
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {len(found[1]) - 1}


def test_a_row_name_starting_with_plus_or_minus_is_text() -> None:
    text = as_latex(TABLE, [replace(FIRST, row="- conv11_2 & 3 %")])
    assert r"- conv11\_2 \& 3 \% & 8732" in text


def test_numbers_equal_those_of_the_printed_table_and_a_supported_change_is_marked() -> None:
    text = as_latex(TABLE, [FIRST, SECOND])
    assert r"conv4\_3 & 8732 & 74.3 & 75.5 $\pm$ 0.7 & $+1.2$" in text  # 0.755 - 0.743; 0.01 / sqrt(2)
    assert r"$-10.0$ $[-12.0, -8.0]$\textsuperscript{*}" in text


def test_environments_and_braces_are_balanced() -> None:
    wide = [Line(row="a", column=name, boxes=1, published=None, values=(), per_class={}) for name in "xyz"]
    for lines in ([FIRST, SECOND], wide):
        text = as_latex(TABLE, lines)
        assert re.findall(r"\\begin\{(\w+)\}", text) == re.findall(r"\\end\{(\w+)\}", text)[::-1]
        plain = text.replace(r"\{", "").replace(r"\}", "")
        assert plain.count("{") == plain.count("}")
