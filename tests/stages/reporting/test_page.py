"""The page is self-contained and honest about what it shows."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

from stages.reporting import tables
from stages.reporting.content import Report
from stages.reporting.page import page, summary, warnings
from stages.tables.content import Line

VOID = ("meta", "img", "br")


class Page(HTMLParser):
    """Open tags, cells of all rows, titles, and addresses fetched or linked."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.titles: list[str] = []
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.fetched += [given[name] for name in ("src", "srcset", "data") if name in given]
        self.fetched += [given["href"]] if "href" in given and tag != "a" else []
        self.links += [given["href"]] if tag == "a" else []
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag == "h2":
            self.titles.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data
        if self.open and self.open[-1] == "h2":
            self.titles[-1] += data


def test_the_page_is_complete_and_fetches_nothing(report: Report) -> None:
    text = page(report)
    found = Page(text)
    assert found.open == []
    assert found.fetched
    assert all(source.startswith("data:image/") for source in found.fetched)
    assert found.links == ["http://127.0.0.1:5000/#/a"]
    assert "url(" not in text
    assert "<script" not in text


def test_names_cannot_become_markup(report: Report) -> None:
    text = page(report)
    assert "1 &lt; 2 &amp; &lt;b&gt;" in text
    assert "<b>" not in text


def test_an_address_that_is_not_a_web_link_is_text(report: Report) -> None:
    evil = replace(report, runs=(replace(report.runs[0], url="javascript:alert(1)"),))
    assert Page(page(evil)).links == []


def test_results_have_difference_and_change_and_rows_not_run_say_so(report: Report) -> None:
    rows = Page(page(report)).rows
    second = next(row for row in rows if row[:2] == ["conv4_3 conv7 conv8_2 conv9_2 conv10_2", "yes"])
    assert second[2:8] == ["8715", "72.3", "72.7 ± 0.3", "+0.4 [−0.8, +1.6]", "−2.0", "−1.6 [−4.1, +0.6]"]
    last = next(row for row in rows if row[:2] == ["conv4_3", "no"])
    assert last[2:8] == ["8545", "52.3", "not run", "", "−22.0", ""]


def test_an_unsupported_change_is_visibly_different(report: Report) -> None:
    text = page(report)
    assert '<td class="unsupported">−1.6 <small>[−4.1, +0.6]</small></td>' in text
    assert '<td class="supported">−3.6 <small>[−6.1, −1.4]</small></td>' in text


def test_the_first_lines_state_how_much_was_run_and_how_much_is_supported(report: Report) -> None:
    assert summary(report) == "10 of 12 rows run, 2 seeds. The data support 8 of 9 changes."
    quoted = replace(report, lines=tuple(replace(line, values=(), quoted=True) for line in report.lines))
    assert summary(quoted) == "All rows are quoted."
    single = replace(report, lines=(replace(report.lines[0], values=(0.5,)),))
    assert summary(single) == "1 of 1 rows run, 1 seed."


def test_conditions_other_than_the_paper_s_are_stated_above_the_numbers(report: Report) -> None:
    for preset in ("short", "tiny", "narrow"):
        text = page(replace(report, table=replace(report.table, preset=preset)))
        assert text.index(f'<p class="banner">Preset {preset}: ') < text.index("<table")
    full = replace(report, table=replace(report.table, preset="full", departures=()), warnings=())
    assert warnings(full) == []
    changed = replace(full, table=replace(report.table, preset="full"))
    assert warnings(changed) == ["2 settings shared by all rows depart from the paper; see Departures from the paper."]


def test_with_a_detector_other_than_the_paper_s_no_difference_from_the_paper_is_shown(report: Report) -> None:
    rows = Page(page(replace(report, table=replace(report.table, preset="tiny")))).rows
    assert "difference" not in rows[0]
    assert "+0.4 [−0.8, +1.6]" not in [cell for row in rows for cell in row]


def test_the_paper_s_classes_are_omitted_if_our_images_have_different_classes(report: Report) -> None:
    drawn = tuple(replace(line, per_class={"disc": 0.5} if line.per_class else {}) for line in report.lines)
    assert class_names(report, drawn) == ["disc"]
    not_run = tuple(replace(line, per_class={}) for line in report.lines)
    assert class_names(report, not_run)[0] == "aeroplane"


def class_names(report: Report, lines: tuple[Line, ...]) -> list[str]:
    (block,) = tables.classes(report.table, lines)
    return [line for cell in block.header[1:] for line in cell.lines]


def test_the_paper_s_class_values_are_below_ours(report: Report) -> None:
    rows = Page(page(report)).rows
    header = next(place for place, row in enumerate(rows) if "aeroplane" in row)
    ours, theirs, third = rows[header + 1 : header + 4]
    assert theirs[0] == "paper"
    assert float(ours[1]) - float(theirs[1]) == 1.0
    assert third[0].startswith("conv4_3 conv7 conv8_2 conv9_2 conv10_2")


def test_with_two_or_more_seeds_each_is_listed(report: Report) -> None:
    rows = Page(page(report)).rows
    assert ["conv4_3 · yes", "64.5", "64.9", "64.7", "0.3"] in rows
    single = replace(report, lines=tuple(replace(line, values=line.values[:1]) for line in report.lines))
    assert not any("seed 0" in row for row in Page(page(single)).rows)


def test_departures_conditions_and_runs_are_shown(report: Report) -> None:
    rows = Page(page(report)).rows
    assert ["schedule.iterations", "6000", "60000"] in rows
    assert ["conv7", "spec.sources", "conv7", "six"] in rows
    assert ["", "schedule.drops", "1,2", "4,5"] in rows
    assert ["commit", "0123456789ab, with uncommitted changes (digest 0123456789abcdef)"] in rows
    assert ["train/all-six/seed0", "01234567"] in rows
    assert "Not run: train/conv7-only/seed0." in page(report)


def test_a_long_list_of_settings_is_collapsed_and_counted(report: Report) -> None:
    assert page(report).count("<details open>") == 2
    many = tuple((f"spec.{number}", "1", "2") for number in range(40))
    text = page(replace(report, table=replace(report.table, departures=many)))
    assert "<details><summary>40 settings shared by all rows that depart from the paper</summary>" in text
    assert text.count("<td>spec.") == 41  # they are in the page nevertheless, besides one of a single row


def test_sections_without_content_are_omitted(report: Report) -> None:
    bare = Report(
        name="a", heading="b", question="c", table=replace(report.table, departures=()), lines=report.lines[:1]
    )
    bare = replace(bare, lines=(replace(bare.lines[0], per_class={}, published_classes={}),))
    assert Page(page(bare)).titles == ["Results", "Departures from the paper"]
    assert "Every setting is the paper's." in page(bare)


def test_a_wide_table_has_its_column_names_above_paper_and_ours(report: Report) -> None:
    wide = tuple(replace(report.lines[0], column=name) for name in ("07", "12", "coco"))
    rows = Page(page(replace(report, lines=wide))).rows
    assert rows[0] == ["", "07", "12", "coco"]
    assert rows[1] == ["source layers", *["paper", "ours"] * 3]
    assert rows[2][1:] == ["74.3", "74.7 ± 0.3"] * 3


def test_equal_reports_give_equal_pages(report: Report) -> None:
    assert page(report) == page(report)
    assert '<meta name="results" content="d1">' in page(report)


def test_the_costs_of_errors_and_the_first_suspected_annotations_are_tables(report: Report) -> None:
    rendered = page(report)
    assert re.search(r"analyze/ssd300-expand-voc0712</td>(<td>1\.23</td>){6}<td>4\.5</td>", rendered)
    assert re.search(r"analyze/ssd512</td>(<td>1\.23</td>){6}<td>-</td>", rendered)
    assert rendered.count("annotations that are probably wrong") == 1
    assert rendered.count("<td>2008_000123</td>") == 20
