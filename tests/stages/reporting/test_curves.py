"""Training curves, and the drawing of a change."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from stages.reporting.content import Report
from stages.reporting.curves import COLOURS, chart, charts, thinned
from stages.reporting.drawing import MARGIN, WIDTH, Axis, drawn_axis, drawn_change, shared_axis


def test_long_curves_are_means_over_equal_numbers_of_points() -> None:
    points = [(step, float(step)) for step in range(1, 11)]
    assert thinned(points, 5) == [(2, 1.5), (4, 3.5), (6, 5.5), (8, 7.5), (10, 9.5)]
    assert thinned(points, 10) == points
    assert thinned([], 5) == []
    assert len(thinned([(step, 0.0) for step in range(3001)])) <= 300


def test_each_recorded_metric_has_a_figure_with_one_common_legend(report: Report) -> None:
    drawn = charts(report.curves)
    assert drawn is not None
    assert list(drawn.figures) == ["training loss", "validation mAP, percent", "learning rate"]
    assert len(set(drawn.colours.values())) == 6  # rows, not trainings
    assert charts(()) is None


def test_seeds_of_a_row_share_its_colour(report: Report) -> None:
    rows = list(dict.fromkeys(curve.row for curve in report.curves))
    colours = dict(zip(rows, COLOURS, strict=False))
    drawn = chart("validation/mAP", report.curves, colours).decode()
    for row in rows:
        lines = re.findall(rf"<path [^>]*style=\"fill: none; stroke: {colours[row]}", drawn)
        assert len(lines) == 2, row


def test_zero_and_both_changes_lie_on_the_shared_axis(report: Report) -> None:
    axis = shared_axis(report.lines)
    assert axis is not None
    assert (axis.low, axis.high) == (pytest.approx(-0.22), pytest.approx(0.006))  # row 12's, and row 2's upper bound
    assert axis.place(axis.low) == MARGIN
    assert axis.place(axis.high) == WIDTH - MARGIN
    drawn = drawn_change(report.lines[1], axis)
    assert (drawn.ours, drawn.theirs) == (axis.place(-0.016), axis.place(-0.02))
    assert drawn.interval == (axis.place(-0.041), axis.place(0.006))
    first = drawn_change(report.lines[0], axis)
    assert (first.ours, first.theirs, first.interval) == (None, None, None)


def test_the_axis_shows_round_numbers_in_the_unit_of_the_changes() -> None:
    drawn = drawn_axis(Axis(-0.22, 0.006))
    assert [text for _, text in drawn.ticks] == ["-20", "-10", "0"]
    assert [place for place, _ in drawn.ticks] == [Axis(-0.22, 0.006).place(value) for value in (-0.2, -0.1, 0)]
    assert [text for _, text in drawn_axis(Axis(0, 37, "plain")).ticks] == ["0", "+10", "+20", "+30"]
    assert [text for _, text in drawn_axis(Axis(-0.0031, 0.0012)).ticks] == ["-0.2", "0"]


def test_without_changes_or_with_two_units_there_is_no_axis(report: Report) -> None:
    assert shared_axis(report.lines[:1]) is None
    assert shared_axis([report.lines[1], replace(report.lines[2], unit="plain")]) is None
    assert shared_axis([replace(report.lines[1], published_change=0, change=0, change_interval=(0, 0))]) is None
