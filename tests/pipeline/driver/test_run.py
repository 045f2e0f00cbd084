"""Whole invocations of toy stages on the test session's Ray."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.driver.run import Invocation, run_graph
from pipeline.errors import Interrupted, PipelineError, StageFailed
from pipeline.mlflow_tracking.client import About
from pipeline.planning.graph import Graph
from pipeline.stage import Context, Resources, Stage, execution
from pipeline.store.lookup import find_result, recorded_requests
from pipeline.store.store import Store

QUIET = Invocation(about=About(name="toys"), request={"toy": 1}, mlflow=False)


@dataclass(frozen=True, kw_only=True)
class Toy(Stage):
    name: str
    above: tuple[Stage, ...] = ()
    does: str = ""
    gpus: int = execution(0)

    @property
    def address(self) -> str:
        return self.name

    @property
    def resources(self) -> Resources:
        return Resources(gpus=self.gpus)

    def prepare(self) -> None:
        if self.does == "lacks":
            raise PipelineError("fetch the file first")

    def run(self, ctx: Context) -> None:
        if self.does == "breaks":
            print("about to divide")
            print(1 / 0)
        if self.does == "refuses":
            raise PipelineError("two boxes have no area")
        if self.does == "waits":
            ctx.work.write_bytes("checkpoint", b"")
            ctx.progress(3, 10)
            for _ in range(600):
                time.sleep(0.1)  # Ray's cancel is seen between two calls, not inside one
        ctx.out.write_bytes("done", self.name.encode())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(str(tmp_path / "store"))


@pytest.mark.usefixtures("ray_session")
def test_what_was_run_is_cached_the_second_time_and_its_request_is_recorded(store: Store) -> None:
    graph = Graph([Toy(name="b", above=(Toy(name="a"),))])
    assert len(run_graph(graph, store, QUIET).in_state("committed")) == 2
    assert len(run_graph(graph, store, QUIET).in_state("cached")) == 2
    assert list(recorded_requests(store)) == [({"toy": 1}, ["a", "b"])]  # the second run did nothing and left no record
    assert find_result(store, "b").provenance["request"] == {"toy": 1}


def test_a_cached_graph_needs_neither_ray_nor_mlflow(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.execution.executor import InlineExecutor
    from pipeline.execution.scheduler import Scheduler
    from pipeline.planning.resolver import Resolver

    graph = Graph([Toy(name="a")])
    Scheduler(graph, store, InlineExecutor(), Resolver(graph), run_id="before").run()
    for name in [name for name in sys.modules if name.partition(".")[0] in ("ray", "mlflow")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ray", None)  # importing it raises
    monkeypatch.setitem(sys.modules, "mlflow", None)
    assert run_graph(graph, store, Invocation(about=About(name="toys"))).status == "finished"


@pytest.mark.usefixtures("ray_session")
def test_a_failure_is_reported_with_the_end_of_its_log_and_the_command_that_continues(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/toys", "run", "a b"])
    broken = Toy(name="broken", does="breaks")
    with pytest.raises(StageFailed) as caught:
        run_graph(Graph([Toy(name="last", above=(broken, Toy(name="good")))]), store, QUIET)
    lines = str(caught.value).splitlines()
    assert lines[0] == "broken failed: ZeroDivisionError: division by zero"
    assert "  | about to divide" in lines
    assert any(line.startswith("  log: ") and line.endswith("/logs/broken.log") for line in lines)
    assert lines[-2:] == ["1 failed, 1 skipped, 1 of 3 stages are kept. To continue:", "  toys run 'a b'"]


@pytest.mark.usefixtures("ray_session")
def test_a_mistake_of_the_user_in_a_stage_is_a_message_and_exit_code_2(store: Store) -> None:
    with pytest.raises(PipelineError, match=r"^strict: two boxes have no area") as caught:
        run_graph(Graph([Toy(name="strict", does="refuses")]), store, QUIET)
    assert caught.value.exit_code == 2


@pytest.mark.usefixtures("ray_session")
def test_an_interrupt_reports_how_far_stages_got(store: Store) -> None:
    graph = Graph([Toy(name="long", does="waits"), Toy(name="a")])

    def interrupt() -> None:
        while not list(Path(store.folder.path).glob("work/*/progress.json")):
            time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(Interrupted, match=r"stopped: 1 of 2 .*\n  long: step 3 of 10\n"):
        run_graph(graph, store, QUIET)


@pytest.mark.parametrize(
    ("stage", "invocation", "told"),
    [
        (Toy(name="a", gpus=8), QUIET, "a asks for 8 GPUs, but there are 0"),
        (Toy(name="a"), Invocation(about=About(name="toys"), gpus=8), "--gpus 8: there are only 0 GPUs"),
        (Toy(name="a", does="lacks"), QUIET, "fetch the file first"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_starts(
    store: Store, monkeypatch: pytest.MonkeyPatch, stage: Stage, invocation: Invocation, told: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(PipelineError, match=told):
        run_graph(Graph([stage]), store, invocation)
    assert not Path(store.folder.path).exists()
