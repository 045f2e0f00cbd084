"""The page: whole, fetching nothing, and honest about what it shows."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

from stages.reporting import tables
from stages.reporting.content import Report
from stages.reporting.page import page, summary, warnings
from stages.tables.content import Line

VOID = ("meta", "img", "br")


class Page(HTMLParser):
    """Tags that are open, the cells of all rows, titles, and what is fetched or linked."""

    def __init__(self, told: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.titles: list[str] = []
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.feed(told)

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


def test_the_page_is_whole_and_fetches_nothing(report: Report) -> None:
    told = page(report)
    found = Page(told)
    assert found.open == []
    assert found.fetched
    assert all(source.startswith("data:image/") for source in found.fetched)
    assert found.links == ["http://127.0.0.1:5000/#/a"]
    assert "url(" not in told
    assert "<script" not in told


def test_names_cannot_become_markup(report: Report) -> None:
    told = page(report)
    assert "1 &lt; 2 &amp; &lt;b&gt;" in told
    assert "<b>" not in told


def test_a_link_that_is_none_of_the_web_is_text(report: Report) -> None:
    evil = replace(report, runs=(replace(report.runs[0], url="javascript:alert(1)"),))
    assert Page(page(evil)).links == []


def test_results_stand_with_their_difference_and_change_and_rows_not_run_say_so(report: Report) -> None:
    rows = Page(page(report)).rows
    second = next(row for row in rows if row[:2] == ["conv4_3 conv7 conv8_2 conv9_2 conv10_2", "yes"])
    assert second[2:8] == ["8715", "72.3", "72.7 ± 0.3", "+0.4 [−0.8, +1.6]", "−2.0", "−1.6 [−4.1, +0.6]"]
    last = next(row for row in rows if row[:2] == ["conv4_3", "no"])
    assert last[2:8] == ["8545", "52.3", "not run", "", "−22.0", ""]


def test_a_change_that_the_data_do_not_support_looks_so(report: Report) -> None:
    told = page(report)
    assert '<td class="unsupported">−1.6 <small>[−4.1, +0.6]</small></td>' in told
    assert '<td class="supported">−3.6 <small>[−6.1, −1.4]</small></td>' in told


def test_the_first_lines_say_how_much_was_run_and_how_much_is_supported(report: Report) -> None:
    assert summary(report) == "10 of 12 rows run, 2 seeds. Of 9 changes the data support 8."
    quoted = replace(report, lines=tuple(replace(line, values=(), quoted=True) for line in report.lines))
    assert summary(quoted) == "All rows are quoted."
    single = replace(report, lines=(replace(report.lines[0], values=(0.5,)),))
    assert summary(single) == "1 of 1 rows run, 1 seed."


def test_conditions_that_are_not_the_paper_s_stand_above_the_numbers(report: Report) -> None:
    for preset in ("short", "tiny", "narrow"):
        told = page(replace(report, table=replace(report.table, preset=preset)))
        assert told.index(f'<p class="banner">Preset {preset}: ') < told.index("<table")
    full = replace(report, table=replace(report.table, preset="full", departures=()), warnings=())
    assert warnings(full) == []
    changed = replace(full, table=replace(report.table, preset="full"))
    assert warnings(changed) == ["2 settings of all rows are not the paper's; see Distance from the paper."]


def test_at_another_detector_no_level_is_held_against_the_paper(report: Report) -> None:
    rows = Page(page(replace(report, table=replace(report.table, preset="tiny")))).rows
    assert "difference" not in rows[0]
    assert "+0.4 [−0.8, +1.6]" not in [cell for row in rows for cell in row]


def test_classes_of_the_paper_are_left_out_beside_images_of_other_classes(report: Report) -> None:
    drawn = tuple(replace(line, per_class={"disc": 0.5} if line.per_class else {}) for line in report.lines)
    assert class_names(report, drawn) == ["disc"]
    not_run = tuple(replace(line, per_class={}) for line in report.lines)
    assert class_names(report, not_run)[0] == "aeroplane"


def class_names(report: Report, lines: tuple[Line, ...]) -> list[str]:
    (block,) = tables.classes(report.table, lines)
    return [line for cell in block.header[1:] for line in cell.lines]


def test_classes_of_the_paper_stand_below_ours(report: Report) -> None:
    rows = Page(page(report)).rows
    header = next(place for place, row in enumerate(rows) if "aeroplane" in row)
    ours, theirs, third = rows[header + 1 : header + 4]
    assert theirs[0] == "paper"
    assert float(ours[1]) - float(theirs[1]) == 1.0
    assert third[0].startswith("conv4_3 conv7 conv8_2 conv9_2 conv10_2")


def test_each_seed_is_told_from_two_on(report: Report) -> None:
    rows = Page(page(report)).rows
    assert ["conv4_3 · yes", "64.5", "64.9", "64.7", "0.3"] in rows
    single = replace(report, lines=tuple(replace(line, values=line.values[:1]) for line in report.lines))
    assert not any("seed 0" in row for row in Page(page(single)).rows)


def test_departures_conditions_and_runs_are_there(report: Report) -> None:
    rows = Page(page(report)).rows
    assert ["schedule.iterations", "6000", "60000"] in rows
    assert ["conv7", "spec.sources", "conv7", "six"] in rows
    assert ["", "schedule.drops", "1,2", "4,5"] in rows
    assert ["commit", "0123456789ab, with changes that are not committed (digest 0123456789abcdef)"] in rows
    assert ["train/all-six/seed0", "01234567"] in rows
    assert "Not run: train/conv7-only/seed0." in page(report)


def test_a_long_list_of_settings_is_folded_and_counted(report: Report) -> None:
    assert page(report).count("<details open>") == 2
    many = tuple((f"spec.{number}", "1", "2") for number in range(40))
    told = page(replace(report, table=replace(report.table, departures=many)))
    assert "<details><summary>40 settings of all rows that are not the paper&#39;s</summary>" in told
    assert told.count("<td>spec.") == 41  # they are in the page all the same, beside one of a single row


def test_sections_without_content_are_left_out(report: Report) -> None:
    bare = Report(
        name="a", heading="b", question="c", table=replace(report.table, departures=()), lines=report.lines[:1]
    )
    bare = replace(bare, lines=(replace(bare.lines[0], per_class={}, published_classes={}),))
    assert Page(page(bare)).titles == ["Results", "Distance from the paper"]
    assert "Every setting is the paper's." in page(bare)


def test_a_wide_table_has_its_columns_above_paper_and_ours(report: Report) -> None:
    wide = tuple(replace(report.lines[0], column=name) for name in ("07", "12", "coco"))
    rows = Page(page(replace(report, lines=wide))).rows
    assert rows[0] == ["", "07", "12", "coco"]
    assert rows[1] == ["source layers", *["paper", "ours"] * 3]
    assert rows[2][1:] == ["74.3", "74.7 ± 0.3"] * 3


def test_the_same_report_is_the_same_page(report: Report) -> None:
    assert page(report) == page(report)
    assert '<meta name="results" content="d1">' in page(report)
