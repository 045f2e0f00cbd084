"""Table 3 as an experiment: its rows, their default boxes, and their graph."""

from __future__ import annotations

import pytest
import torch

from experiments.ablation_layers import TILINGS, experiment
from experiments.framework.presets import Preset
from experiments.framework.runs import RUNS
from experiments.published import TABLE_3, TABLE_3_BOXES
from pipeline.planning.graph import Graph
from ssd_core.boxes.default_boxes import default_boxes
from ssd_core.boxes.frames import inside_image, to_xyxy
from ssd_core.boxes.matching import IGNORED, match
from ssd_core.boxes.objects import Objects
from ssd_core.spec.paper import ssd300
from ssd_core.spec.recipe import Recipe
from stages.training.train import Train

PAPER = Recipe()

BOUNDARY = {
    "all-six": (2869, 5863),
    "no-conv11_2": (2901, 5863),
    "no-conv10_2": (3087, 5855),
    "conv4_3-to-conv8_2": (4054, 5810),
    "conv4_3-conv7": (3377, 5648),
    "conv7-only": (6140, 2524),
}
"""Numbers of default boxes that cross the border and that do not, by the released code's rules in double precision."""

NO_OBJECTS = Objects(torch.zeros(1, 1, 4), torch.zeros(1, 1, dtype=torch.long), torch.zeros(1, 1, dtype=torch.bool))


@pytest.mark.parametrize("name", TILINGS)
def test_the_rows_have_the_paper_s_numbers_of_default_boxes(name: str) -> None:
    row = next(row for row in experiment.rows if row.run.name == name)
    assert row.run.change(PAPER).spec.box_count == TABLE_3_BOXES[name]


@pytest.mark.parametrize("name", TILINGS)
def test_training_without_boundary_boxes_ignores_those_that_cross_the_border_and_keeps_them_in_the_network(
    name: str,
) -> None:
    crossing, inside = BOUNDARY[name]
    for row in experiment.rows:
        if row.run.name in (name, f"{name}-inside"):
            spec = row.run.change(PAPER).spec
            boxes_cxcywh = default_boxes(spec)
            found = match(boxes_cxcywh, NO_OBJECTS, spec).truth
            assert inside_image(to_xyxy(boxes_cxcywh)).sum() == inside
            assert len(boxes_cxcywh) == inside + crossing
            assert (found == IGNORED).sum() == (0 if spec.use_boundary_boxes else crossing)


def test_rows_are_in_the_order_of_the_table_first_with_and_then_without_boundary_boxes() -> None:
    printed = [TABLE_3[name][column] for column in (0, 1) for name in TABLE_3_BOXES]
    assert [row.published for row in experiment.rows] == printed
    assert [row.column for row in experiment.rows] == ["yes"] * 6 + ["no"] * 6


def test_the_first_row_is_the_paper_s_detector_unchanged() -> None:
    assert experiment.rows[0].run.change(PAPER) == PAPER


def test_rows_of_the_second_column_differ_from_those_of_the_first_in_the_boundary_boxes_only() -> None:
    for inside, whole in zip(experiment.rows[6:], experiment.rows[:6], strict=True):
        assert inside.label == whole.label
        assert inside.run.name == f"{whole.run.name}-inside"
        spec, other = inside.run.change(PAPER).spec, whole.run.change(PAPER).spec
        assert (spec.use_boundary_boxes, other.use_boundary_boxes) == (False, True)
        assert (spec.sources, spec.box_count) == (other.sources, other.box_count)


def test_a_row_predicts_from_the_layers_that_it_names_and_changes_nothing_else() -> None:
    for row in experiment.rows:
        spec = row.run.change(PAPER).spec
        assert " ".join(source.layer for source in spec.sources) == row.label
        assert (spec.backbone, spec.extras, spec.input_size) == (ssd300().backbone, ssd300().extras, 300)


def test_the_rows_have_the_corresponding_box_counts_for_the_tiny_detector() -> None:
    # maps of 17, 9, 5, 3, 2, 1 cells; boxes per cell as in SSD300's rows
    expected = {
        "all-six": 17**2 * 4 + 81 * 6 + 25 * 6 + 9 * 6 + 4 * 4 + 4,
        "no-conv11_2": 17**2 * 4 + 81 * 6 + 25 * 6 + 9 * 6 + 4 * 8,
        "no-conv10_2": 17**2 * 4 + 81 * 6 + 25 * 8 + 9 * 8,
        "conv4_3-to-conv8_2": 17**2 * 4 + 81 * 8 + 25 * 12,
        "conv4_3-conv7": 17**2 * 4 + 81 * 9,
        "conv7-only": 81 * 24,
    }
    tiny = Preset(name="tiny").setup(RUNS["ssd300-voc0712"]).recipe
    rows = {row.run.name: row.run.change(tiny).spec.box_count for row in experiment.rows[:6]}
    assert rows == expected


def test_the_whole_table_is_twelve_trainings_on_one_set_of_shards() -> None:
    graph = Graph([experiment.table(Preset(name="tiny"))])
    addresses = [node.address for node in graph.nodes.values()]
    assert sum(isinstance(node.stage, Train) for node in graph.nodes.values()) == 12
    assert {"draw", "shard/drawn-train", "shard/drawn-test", "train/conv7-only/seed0", "table/ablation-layers"} <= set(
        addresses
    )
    assert len(graph.nodes) == 12 * 3 + 4  # train, detect, evaluate; and draw, two shards, the table
