"""A store with three short trainings on drawn images, and two tables of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from experiments.framework.experiment import Experiment, Row
from experiments.framework.presets import Preset
from experiments.framework.runs import RUNS
from experiments.framework.setups import Setup
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


@dataclass(frozen=True)
class Compared:
    """The store, and the graph of its first table."""

    store: Store
    graph: Graph

    @property
    def place(self) -> str:
        return self.store.folder.path

    def key(self, address: str, number: int = 0) -> str:
        """Key of the first or a later result of an address."""
        return [each.key for each in self.store.manifests() if each.address == address][number]


@pytest.fixture(scope="session")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Compared:
    store = Store.open(str(tmp_path_factory.mktemp("compared") / "store"))
    graphs = []
    for run, adjust, rows in (("run-1", on_few_images, EXPERIMENT.rows), ("run-2", faster, EXPERIMENT.rows[:1])):
        preset = Preset(name="tiny", adjust=adjust, placement=Placement(workers=0))
        graph = Graph(replace(EXPERIMENT, rows=rows).targets(preset))
        resolver, observers = Resolver(graph), [EventLog(store.run(run))]
        provenance = {**run_provenance(), "libraries": {"torch": run}}
        Scheduler(
            graph, store, InlineExecutor(), resolver, run_id=run, observers=observers, provenance=provenance
        ).run().raise_for_failures()
        graphs.append(graph)
    return Compared(store, graphs[0])
