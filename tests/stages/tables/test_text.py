"""A table as text: the content of its cells."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from stages.tables.content import Line, TableContent
from stages.tables.text import as_csv, as_markdown, as_text, cells

BARE = TableContent(title="Table 0: Does it help?", preset="full", row_title="layers", column_title="", cells=())

FIRST = Line(row="all", column="yes", boxes=8732, published=0.743, values=(0.75,), per_class={})
SECOND = Line(
    row="few",
    column="yes",
    boxes=864,
    published=0.624,
    values=(0.65,),
    published_change=-0.119,
    change=-0.1,
    change_interval=(-0.12, -0.08),
    per_class={},
)
NOT_RUN = Line(row="none", column="no", boxes=1, published=0.64, values=(), published_change=-0.103, per_class={})


def test_numbers_are_percent_with_one_decimal_and_differences_carry_their_sign() -> None:
    _, rows = cells(BARE, [FIRST, SECOND])
    assert rows == [
        ["all", "8732", "74.3", "75.0", "+0.7", "", ""],
        ["few", "864", "62.4", "65.0", "+2.6", "-11.9", "-10.0 [-12.0, -8.0]*"],
    ]


def test_the_header_names_every_column() -> None:
    header, _ = cells(replace(BARE, column_title="boundary"), [FIRST])
    assert header == ["layers", "boundary", "boxes", "paper", "ours", "difference", "paper's change", "our change"]


def test_the_column_name_is_hidden_in_a_table_of_one_column() -> None:
    header, rows = cells(BARE, [FIRST])
    assert len(header) == len(rows[0]) == 7
    assert "yes" not in rows[0]


def test_a_change_whose_interval_contains_zero_has_no_mark() -> None:
    unsupported = replace(SECOND, change=-0.01, change_interval=(-0.03, 0.01))
    _, rows = cells(BARE, [FIRST, unsupported])
    assert rows[1][-1].strip() == "-1.0 [-3.0, +1.0]"


def test_an_interval_of_zero_width_at_zero_supports_nothing() -> None:
    _, rows = cells(BARE, [FIRST, replace(SECOND, change=0.0, change_interval=(0.0, 0.0))])
    assert "*" not in rows[1][-1]


def test_a_row_that_was_not_run_says_so_and_has_no_difference() -> None:
    _, rows = cells(BARE, [NOT_RUN])
    assert rows[0] == ["none", "1", "64.0", "not run", "", "-10.3", ""]


def test_several_seeds_are_shown_with_their_spread() -> None:
    lines = [replace(FIRST, values=(0.70, 0.72))]
    _, rows = cells(BARE, lines)
    assert rows[0][3] == "71.0 ± 1.4"  # 0.02 / sqrt(2)
    assert "2 seeds, ± is their standard deviation" in as_text(BARE, lines)
    _, rows = cells(BARE, [FIRST, replace(SECOND, values=(0.64, 0.66), change_seeds=2, change_spread=0.001)])
    assert rows[1][-1] == "-10.0 ± 0.1 [-12.0, -8.0]*"


def test_a_change_within_seed_variation_has_no_mark_even_if_the_test_images_support_it() -> None:
    line = replace(SECOND, values=(0.64, 0.65, 0.66), change_seeds=3, change_spread=0.041)  # 4.30 * 0.041 / √3 = 0.102
    _, rows = cells(BARE, [FIRST, line])
    assert rows[1][-1] == "-10.0 ± 4.1 [-12.0, -8.0] "
    _, rows = cells(BARE, [FIRST, replace(line, change_spread=0.04)])  # 0.099
    assert rows[1][-1].endswith("*")


def test_without_published_values_their_columns_are_hidden() -> None:
    own = [replace(line, published=None, published_change=None) for line in (FIRST, SECOND)]
    header, rows = cells(BARE, own)
    assert header == ["layers", "boxes", "ours", "our change"]
    assert rows[1] == ["few", "864", "65.0", "-10.0 [-12.0, -8.0]*"]


def test_a_table_without_changes_does_not_explain_them() -> None:
    assert "Changes are relative" not in as_text(BARE, [FIRST])
    wide = [replace(line, column=column) for line in (FIRST, SECOND) for column in ("07", "12", "coco")]
    assert "Changes are relative" not in as_text(BARE, wide)


def test_the_meaning_of_a_mark_is_explained_with_its_scope() -> None:
    assert "* marks changes supported by the test images, for this seed." in as_text(BARE, [FIRST, SECOND])
    lines = [replace(line, values=(0.1, 0.2)) for line in (FIRST, SECOND)]
    assert "* marks changes supported by the test images and, with two or more seeds, by the seeds." in as_text(
        BARE, lines
    )


@pytest.mark.parametrize("preset", ["short", "tiny"])
@pytest.mark.parametrize("form", [as_text, as_markdown])
def test_conditions_other_than_the_paper_s_are_stated_above_the_table(preset, form) -> None:
    text = form(replace(BARE, preset=preset), [FIRST])
    assert f"Preset {preset}: " in text
    assert text.index(f"Preset {preset}") < text.index("ours")
    assert "Preset" not in form(BARE, [FIRST])


def test_with_a_detector_other_than_the_paper_s_no_difference_from_the_paper_is_shown() -> None:
    header, rows = cells(replace(BARE, preset="tiny"), [FIRST, SECOND])
    assert "difference" not in header
    assert rows[1] == ["few", "864", "62.4", "65.0", "-11.9", "-10.0 [-12.0, -8.0]*"]


def test_a_quoted_number_is_not_marked_not_run_and_unknown_box_counts_are_hidden() -> None:
    quoted = Line(row="Fast", column="", boxes=0, published=0.669, values=(), quoted=True, per_class={})
    _, rows = cells(BARE, [quoted, FIRST])
    assert rows[0] == ["Fast", "", "66.9", "", "", "", ""]
    header, _ = cells(BARE, [quoted])
    assert "boxes" not in header


def test_plain_numbers_are_not_printed_as_percent() -> None:
    speed = Line(row="SSD300", column="fps", boxes=8732, published=59, values=(80.0,), unit="plain", per_class={})
    _, rows = cells(BARE, [speed])
    assert rows[0] == ["SSD300", "8732", "59", "80", "+21", "", ""]


def test_a_change_without_an_interval_has_no_mark() -> None:
    _, rows = cells(BARE, [FIRST, replace(SECOND, change_interval=None)])
    assert rows[1][-1] == "-10.0"


def test_a_table_of_three_columns_has_one_line_per_row_with_paper_and_ours_per_column() -> None:
    lines = [replace(FIRST, row=row, column=column) for row in ("a", "b") for column in ("07", "12", "coco")]
    header, rows = cells(replace(BARE, column_title="data"), lines[:-1])
    assert header == ["layers", "07 paper", "07 ours", "12 paper", "12 ours", "coco paper", "coco ours"]
    assert rows == [["a", *["74.3", "75.0"] * 3], ["b", *["74.3", "75.0"] * 2, "", ""]]


def test_text_columns_are_aligned() -> None:
    lines = as_text(BARE, [FIRST, SECOND, NOT_RUN]).splitlines()
    ruler = next(number for number, line in enumerate(lines) if set(line) == {"-"})
    rows = lines[ruler - 1 : ruler] + lines[ruler + 1 :]
    assert len({len(line) for line in rows}) == 1
    assert lines[0] == BARE.title


def test_markdown_has_one_cell_per_column() -> None:
    rows = [line for line in as_markdown(BARE, [FIRST, SECOND]).splitlines() if line.startswith("|")]
    assert len(rows) == 4  # header, ruler, two rows
    assert {line.count("|") for line in rows} == {8}


def test_csv_is_in_fractions_with_the_interval_in_separate_columns() -> None:
    first, second, absent = csv.DictReader(io.StringIO(as_csv(BARE, [FIRST, SECOND, NOT_RUN])))
    assert (first["paper"], first["ours"], first["change"]) == ("0.743", "0.75", "")
    assert (second["change_low"], second["change_high"], second["seeds"]) == ("-0.12", "-0.08", "1")
    assert (absent["ours"], absent["seeds"], absent["difference"]) == ("", "0", "")
