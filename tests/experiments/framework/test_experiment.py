"""From rows to a graph: seeds, columns, shared trainings, and the conditions that a table states."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import pytest

from experiments.ablation_layers import experiment as ablation
from experiments.framework.experiment import Experiment, Row
from experiments.framework.names import experiment_names
from experiments.framework.presets import Preset
from experiments.framework.runs import RUNS
from pipeline.errors import PipelineError
from pipeline.planning.graph import Graph
from ssd_core.spec.recipe import Recipe
from stages.evaluation.evaluate import Evaluate
from stages.placement import Placement
from stages.tables.table import Table
from stages.training.train import Train

TINY = Preset(name="tiny")
BASE = RUNS["ssd300-voc0712"]


def small_batch(recipe: Recipe) -> Recipe:
    return replace(recipe, batch_size=2)


ONE = Experiment(
    name="one",
    question="Does the batch matter?",
    answers="no table",
    expects="a little",
    row_title="batch",
    rows=(
        Row(label="unchanged", run=BASE, published=None),
        Row(label="2", run=BASE.varied("small", small_batch), published=None),
    ),
)


def trainings(*tables: Table) -> list[Train]:
    return [node.stage for node in Graph(tables).nodes.values() if isinstance(node.stage, Train)]


def test_equal_rows_of_two_experiments_share_one_training() -> None:
    first = ablation.table(TINY, column="yes")
    second = ONE.table(TINY)
    assert len(trainings(first)) == 6
    assert len(trainings(second)) == 2
    assert len(trainings(first, second)) == 7  # the row without a change is the ablation's first


def test_each_seed_is_a_separate_training_with_the_seed_in_its_address() -> None:
    table = ONE.table(TINY, seeds=2)
    assert sorted((stage.address, stage.recipe.seed) for stage in trainings(table)) == [
        ("train/small/seed0", 0),
        ("train/small/seed1", 1),
        ("train/ssd300-voc0712/seed0", 0),
        ("train/ssd300-voc0712/seed1", 1),
    ]
    assert [len(cell.results) for cell in table.cells] == [2, 2]


def test_more_seeds_keep_the_trainings_of_the_first() -> None:
    assert len(trainings(ONE.table(TINY), ONE.table(TINY, seeds=3))) == 6


def test_placement_is_not_part_of_a_stage_s_identity() -> None:
    elsewhere = ONE.table(replace(TINY, placement=Placement(workers=8, use_gpu=True, detection_workers=8)))
    assert len(Graph([ONE.table(TINY), elsewhere]).targets) == 1


def test_evaluations_join_the_run_of_their_training_which_is_tagged_with_variant_seed_and_preset() -> None:
    result = ONE.table(TINY).cells[1].results[0]
    assert isinstance(result, Evaluate)
    training = result.tracked_by()
    assert training is not None
    assert dict(training.tags) == {
        "variant": "small",
        "label": "2",
        "seed": "0",
        "preset": "tiny",
        "data": "drawn-train",
        "table": "no table",
    }
    assert training.parameters()["batch_size"] == "2"


def test_a_table_states_its_preset_and_every_shared_departure_from_the_paper() -> None:
    table = ablation.table(TINY)
    shared = {field: (ours, paper) for field, ours, paper in table.departures}
    assert table.preset == "tiny"
    assert shared["spec.input_size"] == ("130", "300")
    assert shared["optimiser"] == ("adamw", "sgd")
    assert shared["spec.norm_groups"] == ("8", "0")
    assert ablation.table(Preset()).departures == ()


def test_only_the_requested_column_is_in_the_graph_and_an_unknown_one_is_refused() -> None:
    table = ablation.table(TINY, column="no")
    assert {cell.column for cell in table.cells} == {"no"}
    with pytest.raises(PipelineError, match=r"has no column 'maybe'; .*no, yes"):
        ablation.table(TINY, column="maybe")


@pytest.mark.parametrize("name", experiment_names())
def test_every_experiment_states_its_question_expectation_and_cost(name: str) -> None:
    module = import_module(f"experiments.{name.replace('-', '_')}")
    experiment, text = module.experiment, module.__doc__
    assert f"ssdpipe run {name}" in text
    assert "\nExpect: " in text
    if name == "import-check":  # its rows are the files that exist
        assert "\nCost:   no training." in text
        return
    graph = Graph(experiment.targets(Preset(name="full")))
    trainings = [node.stage.recipe for node in graph.nodes.values() if isinstance(node.stage, Train)]
    images = sum(recipe.schedule.iterations * recipe.batch_size for recipe in trainings)
    number = f"{len(trainings)} training{'s' if len(trainings) > 1 else ''}"
    cost = f"{number} at full length, {images / 1e6:.1f} million images" if trainings else "no training"
    assert f"\nCost:   {cost}.\n" in text
