"""The context that a stage runs in, and what happens to its files."""

from __future__ import annotations

import json
import logging
import pickle
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import PipelineError
from pipeline.execution.executor import InlineExecutor
from pipeline.execution.job import Job
from pipeline.execution.outcome import Result
from pipeline.execution.run_stage import StageContext, run_stage
from pipeline.execution.scheduler import Scheduler
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.stage import Resources, Stage
from pipeline.store.record import append_point, read_curve, read_progress
from pipeline.store.store import Store


@dataclass(frozen=True, kw_only=True)
class Work(Stage):
    """Does what `deed` of this module says."""

    deed: str
    held: tuple[Stage, ...] = ()

    def run(self, ctx: Any) -> None:
        globals()[self.deed](self, ctx)


def write(stage: Work, ctx: StageContext) -> None:
    ctx.out.write_bytes("a", b"1")


def record(stage: Work, ctx: StageContext) -> None:
    for step in (1, 2, 3, 2):
        ctx.record(step, {"loss": step / 2})
    ctx.out.write_bytes("a", b"1")


def record_and_fail(stage: Work, ctx: StageContext) -> None:
    if read_curve(ctx.work):
        ctx.record(3, {"loss": 3.0})
        ctx.record(4, {"loss": 4.0})
        return
    ctx.record(2, {"loss": 2.0})
    ctx.record(3, {"loss": 9.0})
    ctx.work.write_bytes("checkpoint", b"")
    raise ValueError("out of luck")


def double_all(stage: Work, ctx: StageContext) -> None:
    ctx.out.write_json("doubled.json", ctx.map(double, range(5)))
    assert read_progress(ctx.work).done == 5


def double(number: int) -> int:
    return 2 * number


def read_held(stage: Work, ctx: StageContext) -> None:
    ctx.out.write_bytes("b", ctx.input(stage.held[0]).read_bytes("a"))


def say(stage: Work, ctx: StageContext) -> None:
    logging.getLogger("deed").info("said so")


@pytest.fixture
def store(tmp_path) -> Store:
    opened = Store.open(str(tmp_path / "store"))
    opened.prepare()
    return opened


def job(store: Store, stage: Stage, attempt: int = 1) -> Job:
    graph = Graph([stage])
    draft = Resolver(graph).draft(graph.nodes[graph.targets[0]], {}, {"git": {}})
    return Job(stage=stage, draft=draft, store=store, inputs={}, share=Resources(), run_id="r", attempt=attempt)


def context(store: Store, stage: Stage, **inputs: Any) -> StageContext:
    return StageContext(key="k", stage=stage, inputs=inputs, out=store.attempt("k", "1"), work=store.work("k"))


def test_a_job_is_run_and_committed_with_its_conditions(store):
    manifest = run_stage(pickle.loads(pickle.dumps(job(store, Work(deed="write")))))
    assert store.find(manifest.key) == manifest
    assert manifest.attempt.startswith("1-")
    assert {"git", "machine", "run"} <= manifest.provenance.keys()
    assert manifest.provenance["resources"] == asdict(Resources())
    assert manifest.seconds >= 0


def test_the_recorded_curve_is_kept_each_step_once_and_does_not_touch_the_digest(store):
    plain, recorded = run_stage(job(store, Work(deed="write"))), run_stage(job(store, Work(deed="record")))
    assert recorded.digest == plain.digest
    assert [(point.step, point.values) for point in read_curve(store.output(recorded))] == [
        (1, {"loss": 0.5}),
        (2, {"loss": 1.0}),
        (3, {"loss": 1.5}),
    ]
    lines = store.output(recorded).read_bytes("metrics.jsonl").splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3]


def test_a_failed_attempt_keeps_its_work_and_its_curve_is_continued(store):
    first = job(store, Work(deed="record_and_fail"))
    with pytest.raises(ValueError, match="out of luck"):
        run_stage(first)
    assert (store.folder / "objects").files() == []
    assert store.work(first.key).exists("checkpoint")
    manifest = run_stage(job(store, Work(deed="record_and_fail"), attempt=2))
    curve = read_curve(store.output(manifest))
    assert [(point.step, point.values["loss"]) for point in curve] == [(2, 2.0), (3, 3.0), (4, 4.0)]
    assert not store.work(first.key).exists()


def test_an_incomplete_line_of_a_killed_process_is_skipped(store):
    work = store.work("k")
    append_point(work, 1, {"loss": 1.0})
    work.append("metrics.jsonl", b'{"step": 2, "ti')
    assert [point.step for point in read_curve(work)] == [1]


def test_an_input_is_found_by_itself_or_by_an_equal_stage(store):
    one, two = Work(deed="write", variant="one"), Work(deed="record")
    folders = {"held[0]": store.folder / "1", "held[1]": store.folder / "2"}
    ctx = context(store, Work(deed="write", held=(one, two)), **folders)
    assert ctx.input(one) == folders["held[0]"]
    assert ctx.input(Work(deed="record", variant="another name")) == folders["held[1]"]


def test_requesting_a_stage_that_is_no_input_names_the_inputs(store):
    held = Work(deed="write", variant="one")
    ctx = context(store, Work(deed="write", held=(held,)), **{"held[0]": store.folder})
    with pytest.raises(PipelineError, match=r"result of work/x, which is not among its inputs \(work/one\)"):
        ctx.input(Work(deed="say", variant="x"))


def test_map_keeps_the_order_and_reports_progress(store):
    manifest = run_stage(job(store, Work(deed="double_all")))
    assert store.output(manifest).read_json("doubled.json") == [0, 2, 4, 6, 8]


def test_progress_is_written_twice_a_second_at_most_and_always_at_the_end(store, monkeypatch):
    now = iter([0.0, 0.2, 0.4, 0.6, 0.7])
    monkeypatch.setattr("time.monotonic", lambda: next(now))
    ctx = context(store, Work(deed="write"))
    seen = []
    for done in (1, 2, 3, 4, 5):
        ctx.progress(done, 5, "loss 3")
        progress = read_progress(ctx.work)
        seen.append(progress.done)
    assert seen == [1, 1, 1, 4, 5]
    assert (progress.total, progress.note) == (5, "loss 3")


def test_a_context_travels_to_other_processes(store):
    ctx = context(store, Work(deed="write"))
    pickle.loads(pickle.dumps(ctx)).record(1, {"loss": 1.0})
    assert len(read_curve(ctx.work)) == 1


def test_a_stage_in_this_process_logs_into_the_folder_of_its_run(store):
    executor = InlineExecutor()
    handle = executor.submit(job(store, Work(deed="say", variant="x/y")))
    assert executor.wait([handle], 0) == [handle]
    executor.result(handle)
    assert "said so" in Path(store.folder.path, "runs/r/logs/work__x__y.log").read_text(encoding="utf-8")


@dataclass(frozen=True, kw_only=True)
class Checked(Work):
    checked_by_reader = ("a",)


def run_graph(store: Store, target: Stage) -> Result:
    graph = Graph([target])
    return Scheduler(graph, store, InlineExecutor(), Resolver(graph), run_id="run").run()


def flip(store: Store, name: str) -> None:
    """Change the only result's file without changing its size."""
    (manifest,) = store.manifests()
    store.output(manifest).write_bytes(name, b"2")


def test_an_input_whose_bytes_differ_from_its_manifest_is_refused_by_name(store):
    run_graph(store, Work(deed="write"))
    flip(store, "a")
    failed = run_graph(store, Work(deed="read_held", held=(Work(deed="write"),)))
    (error,) = (outcome.error for outcome in failed.outcomes.values() if outcome.state == "failed")
    assert isinstance(error, PipelineError)
    assert "the result of work is damaged: a in " in str(error)
    assert "ssdpipe store verify --discard" in str(error)
    assert len(store.manifests()) == 1


def test_files_that_their_reader_compares_are_left_to_it(store):
    run_graph(store, Checked(deed="write"))
    flip(store, "a")
    assert run_graph(store, Work(deed="read_held", held=(Checked(deed="write"),))).status == "finished"


def test_a_committed_file_that_is_missing_is_made_again(store):
    run_graph(store, Work(deed="write"))
    (manifest,) = store.manifests()
    store.output(manifest).delete("a")
    assert store.look(manifest.key) == (None, "its file a is missing")
    run_graph(store, Work(deed="write"))
    (manifest,) = store.manifests()
    assert store.output(manifest).read_bytes("a") == b"1"
