"""MLflow on SQLite below a temporary store, fed by real runs of the in-process executor."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import PipelineError
from pipeline.execution.executor import InlineExecutor
from pipeline.execution.outcome import Result
from pipeline.execution.scheduler import Scheduler
from pipeline.mlflow_tracking import models as mlflow_models
from pipeline.mlflow_tracking import run as mlflow_run
from pipeline.mlflow_tracking.client import NOTE, About, open_client
from pipeline.mlflow_tracking.models import model_name
from pipeline.mlflow_tracking.observer import MlflowObserver, catch_up, sync
from pipeline.mlflow_tracking.run import TrackedRun
from pipeline.mlflow_tracking.tracker import Tracker, end_runs_that_ended
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.stage import Context, Stage, execution
from pipeline.store.events import Event, EventLog
from pipeline.store.process import Process
from pipeline.store.record import append_point
from pipeline.store.store import Store

EXPERIMENT = "an experiment"
PROVENANCE = {"argv": ["/somewhere/ssdpipe", "run", "it"], "git": {"commit": "abc"}}
ABOUT = About(name=EXPERIMENT, primary_metric="voc07/mAP", note="**Why?**")


@dataclass(frozen=True, kw_only=True)
class Data(Stage):
    images: int = 3

    def run(self, ctx: Context) -> None:
        ctx.out.write_json("images.json", self.images)


@dataclass(frozen=True, kw_only=True)
class Learn(Stage):
    """Records its steps one by one; fails at a step as long as a file exists."""

    data: Data = Data()
    rate: float = 0.5
    steps: int = 5
    breaks_at: int = execution(-1)

    def tracked_by(self) -> Stage | None:
        return self

    def parameters(self) -> dict[str, str | int | float]:
        return {"rate": self.rate}

    def data_sets(self) -> dict[str, str]:
        return {"data": "training"}

    def models(self) -> dict[str, int]:
        return {"kept.pt": 2, "weights.pt": self.steps}

    def run(self, ctx: Context) -> None:
        done = len(ctx.work.files()) and 2  # a checkpoint at step 2: steps 3 and later are recorded again
        for step in range(done + 1, self.steps + 1):
            if step == self.breaks_at:
                raise ValueError("broken on purpose")
            ctx.record(step, {"loss": self.rate**step, "mAP@0.5": step / 10})
        ctx.out.write_json("summary.json", {"seconds": 1.5})


@dataclass(frozen=True, kw_only=True)
class Judge(Stage):
    learnt: Learn
    data: Data = Data(images=2, variant="test")

    def tracked_by(self) -> Stage | None:
        return self.learnt

    def data_sets(self) -> dict[str, str]:
        return {"data": "evaluation"}

    def artifacts(self) -> tuple[str, ...]:
        return ("words.txt", "absent.txt")

    def run(self, ctx: Context) -> None:
        ctx.out.write_json("summary.json", {"voc07/mAP": 0.25, "voc07/AP/cat": 0.5})
        ctx.out.write_bytes("words.txt", b"good")


@dataclass(frozen=True, kw_only=True)
class Table(Stage):
    rows: tuple[Stage, ...]

    title: str = "a"

    def artifacts(self) -> tuple[str, ...]:
        return ("table.md",)

    def description(self) -> str:
        return "table.md"

    def run(self, ctx: Context) -> None:
        ctx.out.write_bytes("table.md", f"| {self.title} | b |".encode())


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return Store.open(str(tmp_path / "store"))


def learn(breaks_at: int = -1) -> Learn:
    return Learn(breaks_at=breaks_at, variant="slow/seed0", tags=(("variant", "slow"), ("seed", "0")))


def run(store: Store, targets: Sequence[Stage], run_id: str) -> Result:
    graph = Graph(targets)
    observer = MlflowObserver(graph, store, ABOUT, run_id=run_id)
    scheduler = Scheduler(
        graph, store, InlineExecutor(), Resolver(graph), run_id=run_id, observers=[observer], provenance=PROVENANCE
    )
    return scheduler.run()


def runs(store: Store) -> tuple[list[Any], list[Any]]:
    """Runs of invocations, and runs of tracked stages; oldest first."""
    client = open_client(store.folder)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    found = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time ASC"])
    invocations = [run for run in found if {"ssdpipe.run", "ssdpipe.targets"} & set(run.data.tags)]
    return invocations, [run for run in found if "stage" in run.data.tags]


def history(store: Store, run: Any, name: str) -> list[tuple[int, float]]:
    client = open_client(store.folder)
    return [(metric.step, metric.value) for metric in client.get_metric_history(run.info.run_id, name)]


def artifacts(store: Store, run: Any, folder: str) -> list[str]:
    return [item.path for item in open_client(store.folder).list_artifacts(run.info.run_id, folder)]


def test_an_invocation_has_a_run_and_a_tracked_stage_one_beside_it_with_all_that_belongs_to_it(store):
    judge = Judge(learnt=learn(), variant="slow/seed0")
    run(store, [Table(rows=(judge,))], "first")
    (invocation,), (training,) = runs(store)
    assert "mlflow.parentRunId" not in training.data.tags  # MLflow hides what is nested
    assert training.data.tags["ssdpipe.invocation"] == invocation.data.tags["ssdpipe.run"] == "first"
    assert (invocation.info.status, training.info.status) == ("FINISHED", "FINISHED")
    assert training.data.params == {"variant": "slow", "seed": "0", "rate": "0.5", "stage": "learn/slow/seed0"}
    assert training.data.tags["variant"] == "slow"
    assert history(store, training, "loss") == [(step, 0.5**step) for step in range(1, 6)]
    assert history(store, training, "mAP_0.5")[-1] == (5, 0.5)
    assert {name: training.data.metrics[name] for name in ("seconds", "voc07/mAP", "voc07/AP/cat")} == {
        "seconds": 1.5,
        "voc07/mAP": 0.25,
        "voc07/AP/cat": 0.5,
    }
    assert artifacts(store, training, "judge/slow/seed0") == ["judge/slow/seed0/words.txt"]
    assert artifacts(store, invocation, "table") == ["table/table.md"]
    assert Path(store.folder.path, "mlflow-artifacts").is_dir()


def test_numbers_of_a_result_are_logged_at_step_0_which_mlflow_draws_as_bars(store):
    run(store, [Judge(learnt=learn())], "first")
    _, (training,) = runs(store)
    assert history(store, training, "voc07/mAP") == [(0, 0.25)]


def test_the_curve_of_a_stage_that_belongs_to_another_joins_its_run(store, monkeypatch):
    def judge_twice(self: Judge, ctx: Context) -> None:
        for step, value in ((2, 0.25), (4, 0.5)):
            ctx.record(step, {"validation/mAP": value})

    monkeypatch.setattr(Judge, "run", judge_twice)
    run(store, [Judge(learnt=learn())], "first")
    run(store, [Judge(learnt=learn())], "second")
    _, (training,) = runs(store)
    assert history(store, training, "validation/mAP") == [(2, 0.25), (4, 0.5)]
    assert len(history(store, training, "loss")) == 5


def test_the_experiment_opens_as_trainings_with_its_primary_metric_and_what_it_asks(store):
    run(store, [learn()], "first")
    tags = open_client(store.folder).get_experiment_by_name(EXPERIMENT).tags
    assert tags["mlflow.experimentKind"] == "custom_model_development"
    assert tags["mlflow.experiment.primaryMetric.name"] == "voc07/mAP"
    assert tags[NOTE] == "**Why?**"


def test_the_page_of_an_invocation_shows_its_tables_and_where_they_come_from(store):
    run(store, [Table(rows=(learn(),)), Table(rows=(learn(),), title="c", variant="second")], "first")
    (invocation,), (tracked,) = runs(store)
    assert invocation.data.tags[NOTE] == "| a | b |\n\n| c | b |"
    assert NOTE not in tracked.data.tags
    for told in (invocation, tracked):
        assert told.data.tags["mlflow.source.name"] == "ssdpipe run it"
        assert told.data.tags["mlflow.source.git.commit"] == "abc"


def test_a_table_too_long_for_mlflow_is_left_to_the_artifacts(store):
    run(store, [Table(rows=(learn(),), title="x" * 9000)], "first")
    (invocation,), _ = runs(store)
    assert NOTE not in invocation.data.tags
    assert artifacts(store, invocation, "table") == ["table/table.md"]


def test_data_sets_stand_beside_the_run_with_the_digests_of_their_content(store):
    result = run(store, [Judge(learnt=learn())], "first")
    digests = {item.address: item.manifest.digest for item in result.outcomes.values() if item.manifest}
    _, (tracked,) = runs(store)
    found = {(item.dataset.name, item.dataset.digest, item.tags[0].value) for item in tracked.inputs.dataset_inputs}
    assert found == {("data", digests["data"], "training"), ("data/test", digests["data/test"], "evaluation")}


def test_kept_weights_are_models_that_know_their_run_their_place_and_the_numbers_of_their_step(store, monkeypatch):
    def judge(self: Judge, ctx: Context) -> None:
        if self.variant == "curve":
            ctx.record(2, {"validation/mAP": 0.25})
            ctx.out.write_json("summary.json", {"validation/best_mAP": 0.25})
        else:
            ctx.out.write_json("summary.json", {"voc07/mAP": 0.5})

    monkeypatch.setattr(Judge, "run", judge)
    monkeypatch.setattr(mlflow_models, "PER_PAGE", 1)
    judges = [Judge(learnt=learn()), Judge(learnt=learn(), data=Data(images=4, variant="val"), variant="curve")]
    for run_id in ("first", "second"):
        run(store, judges, run_id)
    client = open_client(store.folder)
    _, (tracked,) = runs(store)
    found = {model.name: model for model in client.search_logged_models([tracked.info.experiment_id])}
    assert set(found) == {"slow-seed0", "slow-seed0 step 2"}
    last, kept = found["slow-seed0"], found["slow-seed0 step 2"]
    assert {(output.model_id, output.step) for output in tracked.outputs.model_outputs} == {
        (last.model_id, 5),
        (kept.model_id, 2),
    }
    assert last.tags["ssdpipe.file"].endswith("/weights.pt")
    assert str(last.status) == "READY"
    assert last.params == {"variant": "slow", "seed": "0", "rate": "0.5", "stage": "learn/slow/seed0"}
    assert {(m.key, m.value, m.dataset_name) for m in last.metrics} == {("voc07/mAP", 0.5, "data/test")}
    assert {(m.key, m.value) for m in kept.metrics} == {("validation/mAP", 0.25)}
    assert tracked.data.metrics["validation/best_mAP"] == 0.25  # of the run, and of no model


def test_models_left_unfinished_are_finalized_by_the_next_attempt(store, monkeypatch):
    from mlflow import MlflowClient

    def refuse(*_: Any) -> None:
        raise ConnectionError("gone")

    for name in ("finalize_logged_model", "log_outputs"):
        with monkeypatch.context() as patch:
            patch.setattr(MlflowClient, name, refuse)
            run(store, [learn()], f"without {name}")
    assert sync(Graph([learn()]), store, ABOUT) == 2
    _, (training,) = runs(store)
    models = open_client(store.folder).search_logged_models([training.info.experiment_id])
    assert [str(model.status) for model in models] == ["READY", "READY"]
    assert {item.model_id for item in training.outputs.model_outputs} == {model.model_id for model in models}


def test_names_of_models_are_made_legal():
    assert model_name("conv7-only/seed0 step 5.5") == "conv7-only-seed0 step 5-5"


def test_a_resumed_stage_continues_the_same_run_and_its_curve_has_each_step_once(store):
    assert run(store, [learn(breaks_at=4)], "first").status == "failed"
    (invocation,), (training,) = runs(store)
    assert (invocation.info.status, training.info.status) == ("FAILED", "FAILED")
    assert history(store, training, "loss") == [(step, 0.5**step) for step in range(1, 4)]
    assert run(store, [learn()], "second").status == "finished"
    (_, invocation), (resumed,) = runs(store)
    assert resumed.info.run_id == training.info.run_id
    assert (invocation.info.status, resumed.info.status) == ("FINISHED", "FINISHED")
    assert resumed.data.tags["ssdpipe.invocation"] == invocation.data.tags["ssdpipe.run"] == "second"
    assert history(store, resumed, "loss") == [(step, 0.5**step) for step in range(1, 6)]


def test_a_cached_stage_is_not_duplicated_beside_a_new_one(store):
    run(store, [learn()], "first")
    run(store, [learn(), Learn(rate=0.25, variant="fast")], "second")
    invocations, trainings = runs(store)
    assert len(invocations) == 2
    assert [training.data.params["rate"] for training in trainings] == ["0.5", "0.25"]
    assert [training.data.tags["ssdpipe.invocation"] for training in trainings] == ["first", "second"]
    assert len(history(store, trainings[0], "loss")) == 5


def test_numbers_of_a_later_evaluation_of_the_same_training_replace_the_earlier_ones(store, monkeypatch):
    run(store, [Judge(learnt=learn())], "first")
    monkeypatch.setattr(Judge, "version", 2)
    monkeypatch.setattr(Judge, "run", lambda self, ctx: ctx.out.write_json("summary.json", {"voc07/mAP": 0.125}))
    run(store, [Judge(learnt=learn())], "second")
    _, (training,) = runs(store)
    assert training.data.metrics["voc07/mAP"] == 0.125


def test_a_run_that_is_all_cached_imports_neither_mlflow_nor_ray(store, tmp_path):
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_observer as t;"
        "from pipeline.store.store import Store;"
        "t.run(Store.open(sys.argv[2]), [t.learn()], sys.argv[3]);"
        "print([name for name in ('mlflow', 'ray', 'torch') if name in sys.modules])"
    )
    told = []
    for run_id in ("first", "second"):
        arguments = [sys.executable, "-c", program, str(Path(__file__).parent), store.folder.path, run_id]
        told.append(subprocess.run(arguments, capture_output=True, text=True, check=True))
    assert "mlflow" in told[0].stdout
    assert told[1].stdout == "[]\n"
    assert told[0].stderr == ""  # nothing about migrations, experiments or usage


def test_an_unreachable_tracker_is_reported_once_and_the_next_run_catches_up(store, monkeypatch, caplog):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # the discard port: nobody listens
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    assert run(store, [Judge(learnt=learn())], "first").status == "finished"
    warnings = [record for record in caplog.records if record.name == "pipeline.mlflow_tracking.observer"]
    assert len(warnings) == 1
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert len(run(store, [Judge(learnt=learn())], "second").in_state("cached")) == 4
    invocations, (training,) = runs(store)
    assert [item.info.run_name for item in invocations] == [f"{EXPERIMENT} · recorded later"]  # it computed nothing
    assert training.info.status == "FINISHED"
    assert len(history(store, training, "loss")) == 5
    assert training.data.metrics["voc07/mAP"] == 0.25


def test_sync_brings_an_empty_tracker_up_to_date_from_the_store(store, tmp_path, monkeypatch):
    table = Table(rows=(Judge(learnt=learn()),))
    run(store, [table], "first")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/other.db")
    for _ in range(2):
        assert sync(Graph([table]), store, ABOUT) == 5
    invocations, (training,) = runs(store)
    (later,) = invocations
    assert (later.info.status, later.data.tags[NOTE]) == ("FINISHED", "| a | b |")
    assert artifacts(store, later, "table") == ["table/table.md"]
    assert len(history(store, training, "loss")) == 5
    assert training.data.metrics["voc07/mAP"] == 0.25
    (made,) = [item for item in store.manifests() if item.address == "learn/slow/seed0"]
    assert training.info.end_time == int(made.finished * 1000)
    assert training.info.start_time == int((made.finished - made.seconds) * 1000)


def test_sync_reports_a_tracker_that_does_not_answer(store, monkeypatch):
    run(store, [learn()], "first")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(PipelineError, match=r"MLflow at http://127.0.0.1:9 cannot be updated \(.*refused"):
        sync(Graph([learn()]), store, ABOUT)


def test_what_was_missed_is_recorded_later_and_otherwise_mlflow_is_not_contacted(store, monkeypatch, caplog):
    graph = Graph([learn()])
    run(store, [learn()], "first")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    catch_up(graph, store, ABOUT)
    assert "results are safe" not in caplog.text
    store.folder.write_bytes(f"mlflow-behind/{EXPERIMENT}", b"")
    catch_up(graph, store, ABOUT)
    assert "results are safe" in caplog.text
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    with monkeypatch.context() as patch:
        patch.setattr(Tracker, "bring_up_to_date", lambda _: (_ for _ in ()).throw(OSError("the disk is full")))
        catch_up(graph, store, ABOUT)
    assert "(the disk is full); results are safe" in caplog.text
    catch_up(graph, store, ABOUT)
    assert not store.folder.exists(f"mlflow-behind/{EXPERIMENT}")


def test_an_experiment_s_page_follows_its_question(store):
    run(store, [learn()], "first")
    sync(Graph([learn()]), store, replace(ABOUT, note="**Since when?**"))
    assert open_client(store.folder).get_experiment_by_name(EXPERIMENT).tags[NOTE] == "**Since when?**"


def test_what_the_user_wrote_on_that_page_stays(store):
    run(store, [learn()], "first")
    client = open_client(store.folder)
    client.set_experiment_tag(client.get_experiment_by_name(EXPERIMENT).experiment_id, NOTE, "Mine.")
    for note in ("**Since when?**", "**Whence?**"):
        sync(Graph([learn()]), store, replace(ABOUT, note=note))
        assert client.get_experiment_by_name(EXPERIMENT).tags[NOTE] == "Mine."


def test_runs_of_a_killed_driver_are_set_killed_and_those_of_a_living_one_are_not(store):
    program = (
        "import os, sys; sys.path.insert(0, sys.argv[1]); import test_observer as t;"
        "from pipeline.store.store import Store;"
        "from pipeline.planning.graph import Graph; from pipeline.store.events import Event;"
        "from pipeline.mlflow_tracking.tracker import Tracker;"
        "tracker = Tracker(Graph([t.learn()]), Store.open(sys.argv[2]), t.ABOUT, run_id='dead');"
        "tracker.note(Event(time=0, kind='started', address='learn/slow/seed0', key='k'));"
        "tracker.bring_up_to_date(); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", program, str(Path(__file__).parent), store.folder.path], check=False)
    invocations, trainings = runs(store)
    assert [run.info.status for run in (*invocations, *trainings)] == ["RUNNING", "RUNNING"]
    assert store.folder.files().count(f"mlflow-behind/{EXPERIMENT}") == 1
    client = open_client(store.folder)
    living = client.create_run(
        invocations[0].info.experiment_id,
        tags={"ssdpipe.store": store.folder.path, "ssdpipe.driver": _this_process()},
    )
    assert end_runs_that_ended(client, store) == 2
    assert [run.info.status for run in (*runs(store)[0], *runs(store)[1])] == ["KILLED", "KILLED"]
    assert client.get_run(living.info.run_id).info.status == "RUNNING"


@pytest.mark.parametrize("host", ["this", "another"])
@pytest.mark.parametrize(
    ("status", "stage", "shown"), [("finished", "committed", "FINISHED"), ("failed", "failed", "FAILED")]
)
def test_a_run_that_ended_while_mlflow_was_away_gets_its_status_from_its_events(store, host, status, stage, shown):
    tracker = Tracker(Graph([learn()]), store, ABOUT, run_id="r")
    address, log = "learn/slow/seed0", EventLog(store.run("r"))
    process = replace(Process.this(), started=1.0)
    process = process if host == "this" else replace(process, machine="far/away")
    started = Event(time=0, kind="started", address=address, key="k", data={"attempt": 1})
    for event in (Event(time=0, kind="run_started", data={"process": asdict(process)}), started):
        tracker.note(event)
        log.on_event(event)
    tracker.bring_up_to_date()
    client = open_client(store.folder)
    for run in (*runs(store)[0], *runs(store)[1]):
        client.set_tag(run.info.run_id, "ssdpipe.driver", json.dumps(asdict(process)))
    log.on_event(Event(time=1, kind=stage, address=address, key="k", data={"seconds": 1.0}))
    log.on_event(Event(time=1, kind="run_finished", data={"status": status}))
    assert end_runs_that_ended(client, store) == 2
    assert [run.info.status for run in (*runs(store)[0], *runs(store)[1])] == [shown, shown]
    assert end_runs_that_ended(client, store) == 0


def test_an_interrupted_run_is_killed_in_mlflow_with_the_stage_that_it_stopped(store):
    tracker = Tracker(Graph([learn()]), store, ABOUT, run_id="r")
    for kind, data in (("started", {}), ("cancelled", {}), ("run_finished", {"status": "interrupted"})):
        tracker.note(Event(time=0, kind=kind, address="learn/slow/seed0", key="k", data=data))
    tracker.bring_up_to_date()
    invocations, trainings = runs(store)
    assert [run.info.status for run in (*invocations, *trainings)] == ["KILLED", "KILLED"]


def test_a_growing_curve_is_followed_line_by_line(store):
    client = open_client(store.folder)
    run = TrackedRun(client, client.create_run(client.create_experiment("curves")))
    work = store.work("k")
    append_point(work, 1, {"loss": 3})
    work.append("metrics.jsonl", b'{"step": 2, "time": 7.0, "val')
    run.follow(work)
    assert _steps(client, run) == [1]
    work.append("metrics.jsonl", b'ues": {"loss": 2}}\n')
    append_point(work, 1, {"loss": 3})  # recorded again after a crash
    for step in range(3, 1200):
        append_point(work, step, {"loss": 1})
    run.follow(work)
    assert _steps(client, run) == list(range(1, 1200))
    again = TrackedRun(client, client.get_run(run.id))  # another driver continues
    again.follow(work)
    assert _steps(client, again) == list(range(1, 1200))


def test_classes_of_any_name_have_a_metric_each_and_their_names_are_beside_it(store, monkeypatch):
    classes = [
        "a+b",
        "a@b",
        "x" * 300,
        "x" * 299 + "y",
        "../../x",
        "..",
        ".",
        "",
        "/etc/passwd",
        "a//b",
        "cat",
        "\ud800",
    ]
    summary = {f"voc07/AP/{name}": index / 100 for index, name in enumerate(classes)} | {"voc07/mAP": 0.5}
    monkeypatch.setattr(Judge, "run", lambda self, ctx: ctx.out.write_json("summary.json", summary))
    assert run(store, [Judge(learnt=learn(), variant="odd")], "first").status == "finished"
    _, (training,) = runs(store)
    kept = open_client(store.folder).download_artifacts(training.info.run_id, "judge/odd/metric-names.json")
    names = json.loads(Path(kept).read_text(encoding="utf-8"))
    recorded = {name: value for name, value in training.data.metrics.items() if name.startswith("voc07/")}
    assert {names.get(name, name): value for name, value in recorded.items()} == summary
    assert recorded["voc07/AP/cat"] == 0.1
    assert not store.folder.exists(f"mlflow-behind/{EXPERIMENT}")


def test_a_metric_that_mlflow_refuses_does_not_hold_back_the_others(store, monkeypatch, caplog):
    summary = {f"AP/{index}": index / 1000 for index in range(1500)} | {"refused": 0.5}
    monkeypatch.setattr(
        mlflow_run, "legal_names", lambda names, *_: {n: n if n != "refused" else "a/../b" for n in names}
    )
    monkeypatch.setattr(Judge, "run", lambda self, ctx: ctx.out.write_json("summary.json", summary))
    run(store, [Judge(learnt=Learn(steps=0))], "first")
    _, (training,) = runs(store)
    assert {name: value for name, value in training.data.metrics.items() if name.startswith("AP/")} == {
        name: value for name, value in summary.items() if name != "refused"
    }
    assert caplog.text.count("MLflow refuses the metric 'a/../b'") == 1
    assert not store.folder.exists(f"mlflow-behind/{EXPERIMENT}")


def test_tracker_says_that_it_is_behind_until_it_has_caught_up(store):
    graph = Graph([learn()])
    tracker = Tracker(graph, store, ABOUT, run_id="r")
    assert not tracker.is_behind()
    tracker.bring_up_to_date()
    assert tracker.is_behind()  # the run continues
    assert sync(graph, store, ABOUT) == 0
    assert not tracker.is_behind()


def _steps(client: Any, run: TrackedRun) -> list[int]:
    return sorted(metric.step for metric in client.get_metric_history(run.id, "loss"))


def _this_process() -> str:
    return json.dumps(asdict(Process.this()))
