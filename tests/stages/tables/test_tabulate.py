"""From evaluations to the lines of a table. One class, four images with one object each, computed by hand:
a detector that detects the objects of k images and nothing else has precision 1 up to the recall k / 4.

With 11 recalls: 4 of 4 detected give 1; 2 of 4 cover the recalls 0 to 0.5, 6 of 11; 1 of 4 covers 0 to 0.2, 3 of 11.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.folder import Folder
from pipeline.stage import Context, Stage
from pipeline.store.record import SUMMARY
from ssd_core.metrics.voc_ap import Outcomes, class_result
from stages.evaluation.outcomes import OUTCOMES, write_outcomes
from stages.evaluation.voc_evaluation import summarise
from stages.tables.content import Cell
from stages.tables.table import Table
from stages.tables.tabulate import tabulate

IMAGES = 4


class Scored(Stage):
    """Stand-in for an evaluation; `evaluation` writes its folder."""

    def run(self, ctx: Context) -> None:
        raise AssertionError("never run")


def evaluation(place: Path, name: str, found: int) -> Folder:
    """The result of an evaluation whose detections cover the objects of the first `found` images."""
    outcomes = Outcomes(
        images=np.arange(found),
        true=np.ones(found, bool),
        counted=np.ones(found, bool),
        object_images=np.arange(IMAGES),
    )
    folder = Folder(str(place / name))
    folder.write_json(SUMMARY, summarise([class_result(outcomes)], ["cat"]))
    with folder.open_output(OUTCOMES) as stream:
        write_outcomes(stream, [outcomes], images=IMAGES)
    return folder


def table(*published: float | None) -> Table:
    cells = tuple(
        Cell(row=f"row {number}", boxes=100 + number, published=value, results=(Scored(variant=str(number)),))
        for number, value in enumerate(published)
    )
    return Table(title="A table", preset="tiny", row_title="row", cells=cells, replicates=200)


def test_values_differences_and_changes_follow_from_the_evaluations(tmp_path: Path) -> None:
    results = [[evaluation(tmp_path, "all", 4)], [evaluation(tmp_path, "half", 2)]]
    first, second = tabulate(table(0.75, 0.5), results)
    assert first.values == (pytest.approx(1.0),)
    assert second.mean == pytest.approx(6 / 11)
    assert first.difference == pytest.approx(0.25)
    assert second.difference == pytest.approx(6 / 11 - 0.5)
    assert second.change == pytest.approx(6 / 11 - 1)
    assert second.published_change == pytest.approx(-0.25)
    assert second.per_class == {"cat": pytest.approx(6 / 11)}


def test_the_first_row_has_no_change_against_itself(tmp_path: Path) -> None:
    first, _ = tabulate(table(0.75, 0.5), [[evaluation(tmp_path, "a", 4)], [evaluation(tmp_path, "b", 2)]])
    assert (first.change, first.change_interval, first.published_change) == (None, None, None)


def test_a_row_with_the_first_row_s_detections_has_an_interval_of_zero_width(tmp_path: Path) -> None:
    _, second = tabulate(table(None, None), [[evaluation(tmp_path, "a", 2)], [evaluation(tmp_path, "b", 2)]])
    assert second.change == 0
    assert second.change_interval == (0, 0)


def test_the_interval_of_a_worse_row_contains_its_change(tmp_path: Path) -> None:
    _, second = tabulate(table(None, None), [[evaluation(tmp_path, "a", 4)], [evaluation(tmp_path, "b", 1)]])
    assert second.change_interval is not None
    low, high = second.change_interval
    assert low <= second.change <= high <= 0
    assert low < high


def test_a_table_is_reproducible(tmp_path: Path) -> None:
    results = [[evaluation(tmp_path, "a", 3)], [evaluation(tmp_path, "b", 2)]]
    assert tabulate(table(None, None), results) == tabulate(table(None, None), results)


def test_several_seeds_give_mean_and_spread(tmp_path: Path) -> None:
    seeds = [evaluation(tmp_path, "seed0", 4), evaluation(tmp_path, "seed1", 2)]
    (line,) = tabulate(table(None), [seeds])
    assert line.mean == pytest.approx((1 + 6 / 11) / 2)
    assert line.spread == pytest.approx((1 - 6 / 11) / 2**0.5)  # of two values: half their distance times sqrt(2)


def test_the_spread_of_a_change_is_over_pairs_with_the_same_seed(tmp_path: Path) -> None:
    first = [evaluation(tmp_path, "a0", 4), evaluation(tmp_path, "a1", 2)]
    same = [evaluation(tmp_path, "b0", 2), evaluation(tmp_path, "b1", 1)]
    _, line = tabulate(table(None, None), [first, same])
    assert line.change_spread == pytest.approx((5 / 11 - 3 / 11) / 2**0.5)  # changes -5/11 and -3/11
    _, line = tabulate(table(None, None), [first, [None, same[1]]])  # seed 1 alone is in both
    assert (line.change, line.change_seeds, line.change_spread) == (pytest.approx(-3 / 11), 1, None)
    _, line = tabulate(table(None, None), [[first[0], None], [None, same[1]]])
    assert (line.change, line.change_interval) == (None, None)
    assert line.by_seed == {1: pytest.approx(3 / 11)}
    _, line = tabulate(table(None, None), [first[:1], same[:1]])
    assert line.change_spread is None


def test_a_row_that_was_not_run_has_no_value_and_no_change(tmp_path: Path) -> None:
    _, second = tabulate(table(0.75, 0.5), [[evaluation(tmp_path, "a", 4)], []])
    assert (second.values, second.mean, second.spread, second.difference) == ((), None, None, None)
    assert (second.change, second.change_interval) == (None, None)
    assert second.published_change == pytest.approx(-0.25)


def test_without_the_first_row_there_is_no_change(tmp_path: Path) -> None:
    _, second = tabulate(table(None, None), [[], [evaluation(tmp_path, "b", 2)]])
    assert second.mean == pytest.approx(6 / 11)
    assert (second.change, second.change_interval) == (None, None)


def test_the_interval_of_a_difference_is_that_of_our_number_shifted_by_the_paper_s(tmp_path: Path) -> None:
    (line,) = tabulate(table(0.5), [[evaluation(tmp_path, "a", 2)]])
    assert line.interval is not None
    assert line.interval[0] < 6 / 11 < line.interval[1]
    assert line.difference_interval == (line.interval[0] - 0.5, line.interval[1] - 0.5)


def test_a_row_is_compared_with_the_first_row_of_the_same_metric(tmp_path: Path) -> None:
    area = Cell(row="area", boxes=1, published=0.6, metric="voc12/mAP", results=(Scored(variant="2"),))
    stage = table(0.75, 0.5)
    stage = replace(stage, cells=(stage.cells[0], area, stage.cells[1], replace(area, row="area again")))
    results = [[evaluation(tmp_path, str(number), found)] for number, found in enumerate((4, 2, 1, 4))]
    _, first_area, second, second_area = tabulate(stage, results)
    assert (first_area.mean, first_area.change) == (pytest.approx(0.5), None)  # 2 of 4 objects at precision 1
    assert second.change == pytest.approx(3 / 11 - 1)
    assert second_area.change == pytest.approx(0.5)
    assert second_area.change_interval is not None
    assert 0 <= second_area.change_interval[0] <= 0.5 <= second_area.change_interval[1]


def test_quoted_numbers_take_no_part_in_comparisons(tmp_path: Path) -> None:
    stage = table(0.75, 0.5, 0.25)
    stage = replace(stage, cells=(replace(stage.cells[0], results=()), *stage.cells[1:]))
    results = [[], [evaluation(tmp_path, "a", 4)], [evaluation(tmp_path, "b", 2)]]
    quoted, first, second = tabulate(stage, results)
    assert (quoted.quoted, quoted.published_change, first.change) == (True, None, None)
    assert second.published_change == pytest.approx(-0.25)


def test_numbers_without_outcomes_have_a_change_but_no_interval(tmp_path: Path) -> None:
    cells = tuple(
        Cell(row=str(n), boxes=1, results=(Scored(variant=str(n)),), metric="speed/images_per_second", unit="plain")
        for n in range(2)
    )
    folders = [Folder(str(tmp_path / str(number))) for number in range(2)]
    for folder, value in zip(folders, (50.0, 40.0), strict=True):
        folder.write_json(SUMMARY, {"speed/images_per_second": value})
    first, second = tabulate(replace(table(None), cells=cells), [[folder] for folder in folders])
    assert (first.mean, second.change, second.change_interval, second.interval) == (50, -10, None, None)


def test_a_coco_interval_uses_its_101_recalls(tmp_path: Path) -> None:
    """In 5 % of the resamplings, three of the four drawn images are the missed one: the recall is then 1/4, which
    covers the recalls 0 to 0.25, 26 of 101 (3 of 11 by VOC)."""
    results = [[evaluation(tmp_path, "all", 4)], [evaluation(tmp_path, "three", 3)]]
    for (folder,) in results:
        folder.write_json(SUMMARY, {"coco/AP": 0.5, **folder.read_json(SUMMARY)})
    lows = {
        metric: tabulate(replace(table(None, None), metric=metric, replicates=1000), results)[1].change_interval[0]
        for metric in ("coco/AP", "voc07/mAP")
    }
    assert lows == {"coco/AP": pytest.approx(26 / 101 - 1), "voc07/mAP": pytest.approx(3 / 11 - 1)}
