"""`ssdpipe diff` on a store with three short trainings and two tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from experiments.cli.main import app
from experiments.framework.experiment import Experiment, Row
from experiments.framework.presets import Preset
from experiments.framework.runs import RUNS
from experiments.framework.setups import Setup
from pipeline.errors import PipelineError
from pipeline.execution.executor import InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.store.events import EventLog
from pipeline.store.provenance import run_provenance
from pipeline.store.store import Store
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.tilings import without_ratios
from stages.datasets.voc import VocFolder
from stages.drawn.draw import Draw
from stages.placement import Placement

BASE = replace(RUNS["ssd300-voc0712"], name="all")
DRAWN = Draw(train=6, test=4, sides=(64, 80))
Diff = Callable[..., str]


def squares(recipe: Recipe) -> Recipe:
    return replace(recipe, momentum=0.25, spec=without_ratios(recipe.spec, 2, 3))


def on_few_images(setup: Setup) -> Setup:
    recipe = replace(setup.recipe, batch_size=2, schedule=replace(setup.recipe.schedule, iterations=2, drops=()))
    train, test = ((VocFolder(name="drawn", split=split, within=DRAWN),) for split in ("train", "test"))
    return replace(setup, recipe=recipe, train=train, test=test)


def faster(setup: Setup) -> Setup:
    recipe = on_few_images(setup).recipe
    return replace(on_few_images(setup), recipe=replace(recipe, schedule=replace(recipe.schedule, base_lr=0.02)))


EXPERIMENT = Experiment(
    name="shapes",
    question="Do oblong boxes matter?",
    answers="no table",
    expects="nothing",
    row_title="shapes",
    rows=(
        Row(label="all", run=BASE, published=None),
        Row(label="squares", run=BASE.varied("squares", squares), published=None),
    ),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = Store.open(str(tmp_path_factory.mktemp("diff") / "store"))
    for run, adjust, rows in (("run-1", on_few_images, EXPERIMENT.rows), ("run-2", faster, EXPERIMENT.rows[:1])):
        preset = Preset(name="tiny", adjust=adjust, placement=Placement(workers=0))
        graph = Graph(replace(EXPERIMENT, rows=rows).targets(preset))
        observers = [EventLog(store.run(run))]
        resolver, provenance = Resolver(graph), {**run_provenance(), "libraries": {"torch": run}}
        Scheduler(
            graph, store, InlineExecutor(), resolver, run_id=run, observers=observers, provenance=provenance
        ).run().raise_for_failures()
    return Path(store.folder.path)


@pytest.fixture
def diff(place: Path) -> Diff:
    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["diff", *arguments, "--store", str(place)])
        if isinstance(done.exception, PipelineError):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def document(diff: Diff, *arguments: str) -> Any:
    return json.loads(diff(*arguments, "--json"))


def key_of(place: Path, address: str, number: int) -> str:
    """Key of the first or second result of an address."""
    return [each.key for each in Store.open(str(place)).manifests() if each.address == address][number]


def test_two_trainings_differ_in_settings_by_the_names_of_s_and_in_numbers_with_intervals(
    diff: Diff, place: Path
) -> None:
    shown = document(diff, key_of(place, "train/all/seed0", 0)[:12], "train/squares")
    assert [(each["name"], each["before"], each["after"]) for each in shown["settings"]][:3] == [
        ("momentum", "0.9", "0.25"),
        ("spec.sources.conv4_3.scales.0.ratios", "(2)", "()"),
        ("spec.sources.conv7.scales.0.ratios", "(2, 3)", "()"),
    ]
    assert shown["functions"] == shown["data"] == []
    main = next(each for each in shown["numbers"] if each["name"] == "voc07/mAP")
    assert main["difference"] == main["after"] - main["before"]
    assert main["interval"][0] <= main["difference"] <= main["interval"][1]


def test_the_text_has_a_section_for_each_kind_of_difference(diff: Diff, place: Path) -> None:
    lines = diff(key_of(place, "train/all/seed0", 0), "train/squares/seed0").splitlines()
    assert lines[0].startswith("before  train/all/seed0 (")
    assert "  spec.sources.conv4_3.scales.0.ratios: (2) → ()" in lines
    assert {"settings", "functions: the same", "data: the same", "numbers"} <= set(lines)


def test_one_name_compares_the_newest_result_with_the_one_before(diff: Diff, place: Path) -> None:
    shown = document(diff, "train/all")
    assert [each["name"] for each in shown["settings"]] == ["schedule.base_lr"]
    assert {"name": "torch", "before": "run-1", "after": "run-2"} in shown["environment"]
    with pytest.raises(PipelineError, match="one result of train/squares/seed0"):
        diff("train/squares")


def test_tables_are_compared_cell_by_cell_by_name_of_the_experiment(diff: Diff) -> None:
    shown = document(diff, "shapes")
    assert "schedule.base_lr" in [each["name"] for each in shown["settings"]]
    (number,) = shown["numbers"]
    assert number["name"] == "all: voc07/mAP"
    assert number["interval"] is not None


def test_runs_are_compared_stage_by_stage(diff: Diff) -> None:
    shown = document(diff, "run-1", "run-2")
    assert "train/squares/seed0: only in run-1" in shown["stages"]
    rate = next(each for each in shown["settings"] if each["name"] == "schedule.base_lr")
    assert rate["stages"] == ["train/all/seed0"]


def test_files_of_weights_differ_in_specification_and_tensors(diff: Diff, place: Path, tmp_path: Path) -> None:
    (first,) = place.glob(f"objects/{key_of(place, 'train/all/seed0', 0)}/*/weights.pt")
    content = torch.load(first, weights_only=True)
    name = next(name for name in content["state"] if name.startswith("heads."))
    content["state"][name] += 0.5
    torch.save(content, tmp_path / "moved.pt")
    shown = document(diff, str(first), str(tmp_path / "moved.pt"))
    assert shown["settings"] == []
    assert [(each["name"], round(each["largest"], 4)) for each in shown["tensors"]] == [(name, 0.5)]
    assert shown["equal"] == len(content["state"]) - 1
    assert "spec.sources.conv4_3.scales.0.ratios: 2 → " in diff(str(first), "train/squares")
    assert "settings: the same" in diff(str(first), str(first))


def test_a_name_that_nothing_has_is_answered_with_the_nearest(diff: Diff) -> None:
    with pytest.raises(PipelineError, match="did you mean"):
        diff("train/squars/seed0", "train/all/seed0")
