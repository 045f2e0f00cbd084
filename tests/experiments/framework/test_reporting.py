"""From a store to a report: an experiment with one row run, on a few drawn images."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import pytest

from experiments.cli.report import default_location, write_report
from experiments.cli.requests import ExperimentRequest
from experiments.framework.comparison import StoredExperiment
from experiments.framework.experiment import Experiment, Row
from experiments.framework.presets import Preset
from experiments.framework.reporting import gather, pictures
from experiments.framework.runs import RUNS
from experiments.framework.setups import Setup
from pipeline.execution.executor import InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.folder import Folder
from pipeline.mlflow_tracking.recorded_runs import RecordedRun
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.stage import Stage
from pipeline.store.provenance import library_versions
from pipeline.store.store import Store
from ssd_core.spec.recipe import Recipe
from stages.analysis.analyze import Analyze
from stages.datasets.voc import VocFolder
from stages.drawn.draw import Draw
from stages.placement import Placement
from stages.reporting.content import Report
from stages.reporting.page import page
from stages.training.train import Train

BASE = RUNS["ssd300-voc0712"]
DRAWN = Draw(train=6, test=4, sides=(64, 80))


def on_few_images(setup: Setup) -> Setup:
    recipe = replace(setup.recipe, batch_size=2, schedule=replace(setup.recipe.schedule, iterations=2, drops=()))
    sources = {split: (VocFolder(name="drawn", split=split, within=DRAWN),) for split in ("train", "test")}
    return replace(setup, recipe=recipe, train=sources["train"], test=sources["test"])


def quarter(recipe: Recipe) -> Recipe:
    return replace(recipe, momentum=0.25)


def analysis(preset: Preset) -> tuple[Stage, ...]:
    evaluation = preset.setup(BASE).evaluation()
    return (Analyze(detections=evaluation.detections, shards=evaluation.shards, variant="of-ssd"),)


PRESET = Preset(name="tiny", adjust=on_few_images, placement=Placement(workers=0))
EXPERIMENT = Experiment(
    name="momentum",
    question="Does momentum matter?",
    answers="no table",
    found="nothing",
    expects="a little",
    row_title="momentum",
    rows=(
        Row(label="0.9", run=BASE, published=0.743),
        Row(label="0.25", run=BASE.varied("quarter", quarter), published=None),
        Row(label="quoted", published=0.7),
    ),
    figures=analysis,
)


@dataclass(frozen=True)
class Ran:
    store: Store
    targets: tuple[Stage, ...]

    @property
    def stored(self) -> StoredExperiment:
        return StoredExperiment.of(self.targets, self.store)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A store in which the first row, the figure and the row's pictures were run."""
    store = Store.open(str(tmp_path_factory.mktemp("store")))
    targets = EXPERIMENT.targets(PRESET)
    graph = Graph((PRESET.setup(BASE).evaluation(), *targets[1:-1]))  # the last are the second row's pictures
    scheduler = Scheduler(
        graph, store, InlineExecutor(), Resolver(graph), run_id="first", provenance={"libraries": library_versions()}
    )
    scheduler.run().raise_for_failures()
    return Ran(store, targets)


@pytest.fixture(scope="module")
def report(ran: Ran) -> Report:
    return gather(EXPERIMENT, ran.stored, {})


def test_rows_with_results_have_numbers_and_the_others_are_shown_as_not_run(report: Report) -> None:
    first, second, quoted = report.lines
    assert len(first.values) == 1
    assert first.interval is not None
    assert (second.values, second.quoted) == ((), False)
    assert (quoted.quoted, quoted.published) == (True, 0.7)
    assert "train/quarter/seed0" in report.waiting
    assert not any(address.startswith(("table", "train/ssd300")) for address in report.waiting)
    assert "1 of 2 rows run" in page(report)


def test_curves_have_the_name_of_their_row(report: Report) -> None:
    (curve,) = report.curves
    assert curve.row == "0.9"
    assert curve.values["loss"][-1][0] == 2
    assert curve.values["learning_rate"][-1][1] > 0


def test_declared_figures_are_shown_once_as_vector_graphics(report: Report) -> None:
    shown = [(image.stage, image.name) for image in report.images]
    names = ("trends", "sensitivity", "confusion", "tide", "precision-recall", "calibration")
    assert shown == [("analyze/of-ssd", f"{name}.svg") for name in names]
    assert all(image.content.startswith(b"<?xml") for image in report.images)


def test_what_errors_cost_and_suspected_annotations_are_on_the_page(report: Report) -> None:
    (analysis,) = report.errors
    assert analysis.row == "analyze/of-ssd"
    rendered = page(report)
    lost = analysis.document["tide"]["errors"]["Miss"]["dAP"]
    assert f"<td>{100 * lost:.2f}</td>" in rendered
    assert "ECE" in rendered
    assert ("annotations that are probably wrong" in rendered) == bool(analysis.document["suspects"])


def test_each_row_with_results_has_its_pictures_under_its_label(report: Report) -> None:
    assert [(image.stage, image.name) for image in report.pictures] == [
        ("0.9", "detections.jpg"),
        ("0.9", "right-and-wrong.jpg"),
    ]
    assert "pictures/quarter/seed0" in report.waiting
    written = page(report)
    assert '<summary>0.9</summary>\n<figure><img alt="detections" src="data:image/jpeg;base64,' in written


def test_pictures_of_further_seeds_are_left_out(ran: Ran) -> None:
    results, table = ran.stored.results, ran.stored.table
    first, other = table.cells[0].results[0], PRESET.setup(BASE, seed=1).evaluation()
    swapped = replace(table, cells=(replace(table.cells[0], results=(other, first)),))
    assert len(list(pictures(results, ran.store, table))) == 2
    assert list(pictures(results, ran.store, swapped)) == []


def test_departures_of_single_rows_are_separate_from_those_of_all_rows(report: Report) -> None:
    assert report.departures == (("0.25", (("momentum", "0.25", "0.9"),)),)
    assert ("spec.input_size", "130", "300") in report.table.departures


def test_data_and_conditions_are_those_of_the_manifests(ran: Ran, report: Report) -> None:
    by_title = dict(report.conditions)
    assert len(by_title["data"]) == 2
    shards = [row.manifest for row, _ in ran.stored.results if row.address.startswith("shard")]
    assert all(manifest and any(manifest.digest[:16] in line for line in by_title["data"]) for manifest in shards)
    assert any(re.search(r"drawn/test, 4 images, \d+ objects", line) for line in by_title["data"])
    assert "torch" in by_title["versions"][0]
    assert "GPU-hours" in by_title["computing"][0]


def test_runs_are_linked_by_key(ran: Ran) -> None:
    row, manifest = next((row, manifest) for row, manifest in ran.stored.results if isinstance(row.node.stage, Train))
    runs = {manifest.key: RecordedRun("a1b2", "http://127.0.0.1:5000/#/experiments/1/runs/a1b2"), "other": None}
    linked = gather(EXPERIMENT, ran.stored, {key: run for key, run in runs.items() if run})
    assert [(link.stage, link.run) for link in linked.runs] == [(row.address, "a1b2")]
    assert "ssdpipe ui --store" in linked.runs_note
    assert "/runs/a1b2" in page(linked)


def test_the_digest_changes_with_what_is_in_the_store(ran: Ran, tmp_path) -> None:
    assert ran.stored.digest == ran.stored.digest
    assert StoredExperiment.of(ran.targets, Store.open(str(tmp_path))).digest != ran.stored.digest


def test_the_report_of_a_store_without_results_shows_every_row_as_not_run(tmp_path) -> None:
    empty = gather(EXPERIMENT, StoredExperiment.of(EXPERIMENT.targets(PRESET), Store.open(str(tmp_path))), {})
    assert (empty.curves, empty.images, empty.conditions) == ((), (), ())
    assert page(empty).count(">not run<") == 2


def test_page_csv_and_latex_are_written_side_by_side(tmp_path) -> None:
    store = Store.open(str(tmp_path / "store"))
    request = ExperimentRequest(experiment="ablation-layers", preset="tiny", column="yes")
    stored = StoredExperiment.of(request.targets(Placement()), store)
    folder, stem = default_location(replace(request, column=""), store)
    assert (folder.path, stem) == (f"{store.folder.path}/reports", "ablation-layers-tiny")
    paths = write_report(request, stored, Folder(str(tmp_path / "out")), "mine")
    assert [path.rpartition("/")[2] for path in paths] == ["mine.html", "mine.csv", "mine.tex"]
    assert (tmp_path / "out/mine.html").read_text().count(">not run<") == 6
    assert (tmp_path / "out/mine.tex").read_text().count("not run") == 6
    assert len((tmp_path / "out/mine.csv").read_text().splitlines()) == 7
