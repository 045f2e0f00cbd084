"""The report: one page, nothing beside it."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

from stages.report import html
from stages.table import Table
from stages.tabulate import Line

TABLE = Table(
    title="Table 0: is 1 < 2 & 3 > 2?",
    preset="tiny",
    row_title="layers",
    column_title="boundary",
    cells=(),
    departures=(("spec.input_size", "130", "300"), ("optimiser", "<b>adamw</b>", "sgd")),
)
LINES = [
    Line(
        row="all <six>", column="yes", boxes=8732, published=0.743, values=(0.75,), per_class={"cat": 0.8, "a&b": 0.7}
    ),
    Line(row="one", column="yes", boxes=10, published=0.624, values=(), per_class={}),
]


class Page(HTMLParser):
    """Tags that are open, the cells of all rows, and attributes that fetch something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.fetched: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [(name, value) for name, value in attrs if name in ("src", "href")]
        if tag != "meta":
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def test_the_page_is_whole_and_fetches_nothing() -> None:
    text = html(TABLE, LINES)
    page = Page(text)
    assert page.open == []
    assert page.fetched == []
    assert "http" not in text
    assert "url(" not in text


def test_names_cannot_become_markup() -> None:
    text = html(TABLE, LINES)
    assert "all &lt;six&gt;" in text
    assert "a&amp;b" in text
    assert "<b>" not in text
    assert "1 &lt; 2 &amp; 3 &gt; 2?" in text


def test_rows_classes_and_departures_are_there() -> None:
    rows = Page(html(TABLE, LINES)).rows
    assert ["all <six>", "yes", "8732", "74.3", "75.0", "+0.7", "", ""] in rows
    assert ["one", "yes", "10", "62.4", "not run", "", "", ""] in rows
    assert ["all <six> yes", "70.0", "80.0"] in rows  # classes by name: a&b, cat
    assert ["one yes", "", ""] in rows
    assert ["spec.input_size", "130", "300"] in rows


def test_conditions_that_are_not_the_paper_s_are_told_at_the_top() -> None:
    text = html(TABLE, LINES)
    assert text.index("Preset tiny") < text.index("<table")
    full = html(replace(TABLE, preset="full", departures=()), LINES)
    assert "Preset" not in full
    assert "<p>None.</p>" in full
