"""MLflow runs found by the key of their result, on SQLite below a temporary store."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from mlflow.entities import Run, RunInfo

from pipeline.execution.executor import InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.mlflow_tracking.client import About, open_client
from pipeline.mlflow_tracking.observer import MlflowObserver
from pipeline.mlflow_tracking.recorded_runs import attach, experiment_pages, page_of, recorded_runs
from pipeline.mlflow_tracking.saved_view import TAG, view_of
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.stage import Context, Stage
from pipeline.store.store import Store


@dataclass(frozen=True, kw_only=True)
class Learn(Stage):
    rate: float = 0.5

    def tracked_by(self) -> Stage | None:
        return self

    def run(self, ctx: Context) -> None:
        ctx.out.write_json("summary.json", {"loss": self.rate})


@pytest.fixture(autouse=True)
def own_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, str]:
    """A store with one recorded stage, and its key."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        store, graph = Store.open(str(tmp_path_factory.mktemp("store"))), Graph([Learn()])
        observer = MlflowObserver(graph, store, About(name="an experiment"), run_id="first")
        result = Scheduler(graph, store, InlineExecutor(), Resolver(graph), run_id="first", observers=[observer]).run()
    manifest = result.outcomes[graph.targets[0]].manifest
    assert manifest is not None
    return store, manifest.key


def test_the_pages_of_a_store_s_experiments_open_in_the_view_of_trainings(recorded: tuple[Store, str]) -> None:
    store, _ = recorded
    number = open_client(store.folder).get_experiment_by_name("an experiment").experiment_id
    page = f"http://here:1/#/experiments/{number}/runs?workflowType=machine_learning"
    pages = experiment_pages(store.folder, "http://here:1")["an experiment"]
    assert pages.runs == page
    assert pages.best_first == f"{page}&viewStateShareKey=ssdpipe"
    assert pages.chart == f"{pages.best_first}&compareRunsMode=CHART"
    assert TAG in open_client(store.folder).get_experiment_by_name("an experiment").tags


def test_a_saved_view_has_the_metric_label_and_seed_and_the_settings_that_differ() -> None:
    runs = [{"label": "all", "seed": "0", "data": "d", "momentum": value, "batch_size": "32"} for value in ("0.9", "0")]
    view = view_of(runs, "voc07/mAP")
    names = ("metrics.`voc07/mAP`", "params.`label`", "params.`seed`", "params.`data`", "params.`momentum`")
    assert tuple(view["selectedColumns"]) == names
    assert (view["orderByKey"], view["orderByAsc"]) == (names[0], False)


def test_the_run_of_a_key_is_found_with_the_address_of_its_page(recorded: tuple[Store, str]) -> None:
    store, key = recorded
    found = recorded_runs(store.folder)
    assert list(found) == [key]
    run = open_client(store.folder).get_run(found[key].run_id)
    assert run.data.tags["ssdpipe.key"] == key
    experiment = run.info.experiment_id
    assert found[key].url == f"http://127.0.0.1:5000/#/experiments/{experiment}/runs/{found[key].run_id}"


def test_links_to_a_tracking_server_hold_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://ann:s3cr3t@tracker:5000/")
    run = Run(RunInfo("abc", "7", "ann", "FINISHED", 0, None, "active"), None)
    assert page_of(run) == "https://tracker:5000/#/experiments/7/runs/abc"


def test_a_file_is_attached_to_the_run_of_an_invocation(recorded: tuple[Store, str], tmp_path: Path) -> None:
    store, _ = recorded
    (tmp_path / "page.html").write_text("<p>")
    assert attach(store.folder, "first", tmp_path / "page.html")
    client = open_client(store.folder)
    experiment = client.get_experiment_by_name("an experiment")
    (parent,) = client.search_runs([experiment.experiment_id], "tags.`ssdpipe.run` = 'first'")
    assert [item.path for item in client.list_artifacts(parent.info.run_id)] == ["page.html"]
    assert not attach(store.folder, "second", tmp_path / "page.html")


def test_without_a_record_there_are_no_runs_and_none_is_made(tmp_path: Path) -> None:
    assert recorded_runs(Store.open(str(tmp_path)).folder) == {}
    assert list(tmp_path.iterdir()) == []


def test_a_tracker_that_does_not_answer_is_reported_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text(json.dumps({}))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/file/mlflow.db")  # below a file: no such place
    assert recorded_runs(Store.open(str(tmp_path / "store")).folder) == {}
    assert "MLflow does not answer" in caplog.text
