"""Real Ray tasks on a local session of two CPUs; these stages are sent by value, like those in a user's own file."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import ray

from pipeline.errors import Interrupted, PipelineError
from pipeline.execution.job import Job
from pipeline.execution.outcome import Result, Retries
from pipeline.execution.scheduler import Scheduler
from pipeline.execution.stage_log import last_lines
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.ray_backend.executor import RayExecutor
from pipeline.ray_backend.failures import RemoteTraceback
from pipeline.stage import Context, Resources, Stage, execution
from pipeline.store.store import Store, log_name

RUN = "a-run"


@dataclass(frozen=True, kw_only=True)
class Number(Stage):
    value: int
    above: tuple[Stage, ...] = ()

    def run(self, ctx: Context) -> None:
        print(f"sum below {len(self.above)} stages")
        total = self.value + sum(int(ctx.input(stage).read_bytes("number")) for stage in self.above)
        ctx.out.write_bytes("number", str(total).encode())
        ctx.out.write_json("modules.json", [name for name in ("torch", "mlflow", "cv2") if name in sys.modules])


@dataclass(frozen=True, kw_only=True)
class Dies(Stage):
    """Kills its process the first `times` times, counted in its work folder."""

    times: int

    def run(self, ctx: Context) -> None:
        lives = len(ctx.work.files())
        ctx.work.write_bytes(f"life-{lives}", b"")
        if lives < self.times:
            os._exit(3)
        ctx.out.write_json("lives.json", lives)


class Unwieldy(Exception):
    """An exception whose constructor takes more than its `args`, so it cannot be unpickled."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")


@dataclass(frozen=True, kw_only=True)
class Raises(Stage):
    what: str

    def run(self, ctx: Context) -> None:
        print("about to fail")
        if self.what == "exit":
            sys.exit(4)
        raise {"value": ValueError("seven is not eight"), "unwieldy": Unwieldy("this", "that")}[self.what]


@dataclass(frozen=True, kw_only=True)
class Squares(Stage):
    count: int
    broken: int = -1
    lethal: int = -1
    marks: str = execution("")

    @property
    def resources(self) -> Resources:
        return Resources(cpus=2, nested=True)

    def run(self, ctx: Context) -> None:
        ctx.out.write_json("squares.json", ctx.map(self.square, range(self.count)))

    def square(self, number: int) -> int:
        time.sleep(0.05 * (number % 3))  # so that items end in a different order
        print(f"square of {number}")
        if number == self.broken:
            raise ValueError(f"no square of {number}")
        mark = Path(self.marks) / "died"
        if number == self.lethal and not mark.exists():
            mark.touch()
            os._exit(5)
        return number**2


@dataclass(frozen=True, kw_only=True)
class Trains(Stage):
    """Starts an actor with an environment of its own, and that one another, as Ray Train starts its cleaner."""

    @property
    def resources(self) -> Resources:
        return Resources(cpus=1, nested=True)

    def run(self, ctx: Context) -> None:
        import ray

        class Cleaner:
            def address(self) -> str:
                return os.environ["RAY_ADDRESS"]

        class Controller:
            def address_of_cleaner(self) -> str:
                cleaner = ray.remote(num_cpus=0)(Cleaner).options(lifetime="detached").remote()
                return str(ray.get(cleaner.address.remote()))

        controller = ray.remote(num_cpus=0, runtime_env={"env_vars": {"A": "1"}})(Controller).remote()
        ctx.out.write_json("address.json", ray.get(controller.address_of_cleaner.remote()))


@dataclass(frozen=True, kw_only=True)
class Sleeps(Stage):
    seconds: float
    deaf: bool = False

    def run(self, ctx: Context) -> None:
        ctx.work.write_bytes("awake", b"")
        end = time.time() + self.seconds
        while time.time() < end:
            try:
                time.sleep(0.05)
            except KeyboardInterrupt:
                if not self.deaf:
                    raise


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(str(tmp_path / "store"))


def run(store: Store, *targets: Stage, retries: Retries | None = None) -> Result:
    return _scheduler(store, *targets, retries=retries).run()


def _scheduler(store: Store, *targets: Stage, retries: Retries | None = None) -> Scheduler:
    graph = Graph(targets)
    return Scheduler(
        graph, store, RayExecutor(), Resolver(graph), run_id=RUN, retries=retries or Retries(first_delay=0.2)
    )


def _error(result: Result) -> BaseException:
    (failed,) = result.in_state("failed")
    assert failed.error is not None
    return failed.error


def _output(store: Store, result: Result, address: str, name: str) -> object:
    (outcome,) = [outcome for outcome in result.outcomes.values() if outcome.address == address]
    assert outcome.manifest is not None, outcome
    return store.output(outcome.manifest).read_json(name)


pytestmark = pytest.mark.usefixtures("ray_session")


def test_inputs_run_before_what_needs_them_and_workers_import_no_heavy_library(store):
    left, right = Number(value=1, variant="left"), Number(value=2, variant="right")
    result = run(store, Number(value=10, above=(left, right), variant="top"))
    assert result.status == "finished"
    assert _output(store, result, "number/top", "number") == 13
    assert _output(store, result, "number/top", "modules.json") == []


def test_output_of_a_stage_is_in_its_own_log(store):
    run(store, Number(value=1, variant="with/slash"))
    lines = last_lines(store.run(RUN) / "logs", log_name("number/with/slash"))
    assert lines == ["sum below 0 stages"]


def test_a_stage_whose_process_dies_is_retried(store):
    result = run(store, Dies(times=2))
    assert result.status == "finished"
    assert _output(store, result, "dies", "lives.json") == 2


def test_a_stage_whose_process_always_dies_fails_after_the_allowed_retries(store):
    result = run(store, Dies(times=9), retries=Retries(limit=1, first_delay=0.1))
    assert type(_error(result)).__name__ == "WorkerLost"
    assert "dies" in str(_error(result))
    (outcome,) = result.in_state("failed")
    assert len(store.work(_key(store, Dies(times=9))).files()) == 2  # the first attempt and one retry
    assert outcome.manifest is None


def test_an_error_of_the_stage_keeps_its_type_message_and_traceback_and_is_not_retried(store):
    error = _error(run(store, Raises(what="value")))
    assert type(error) is ValueError
    assert str(error) == "seven is not eight"
    assert isinstance(error.__cause__, RemoteTraceback)
    assert "raise {" in str(error.__cause__)
    lines = last_lines(store.run(RUN) / "logs", "raises.log")
    assert lines.count("about to fail") == 1
    assert lines[-1] == "ValueError: seven is not eight"


def test_an_error_that_cannot_be_pickled_arrives_as_its_text(store):
    assert "Unwieldy: this and that" in str(_error(run(store, Raises(what="unwieldy"))))


def test_a_stage_that_exits_its_process_has_failed_and_is_not_taken_for_a_lost_worker(store):
    error = _error(run(store, Raises(what="exit")))
    assert type(error) is RuntimeError
    assert "sys.exit(4)" in str(error)


def test_processes_below_a_training_know_the_address_of_their_own_session(store):
    result = run(store, Trains())
    assert _output(store, result, "trains", "address.json") == ray.get_runtime_context().gcs_address


def test_map_keeps_the_order_of_its_items_and_logs_what_they_print(store):
    result = run(store, Squares(count=7))
    assert _output(store, result, "squares", "squares.json") == [0, 1, 4, 9, 16, 25, 36]
    lines = last_lines(store.run(RUN) / "logs", "squares.log")
    assert sorted(lines) == [f"square of {number}" for number in range(7)]


def test_map_raises_the_error_of_an_item(store):
    error = _error(run(store, Squares(count=3, broken=1)))
    assert type(error) is ValueError
    assert str(error) == "no square of 1"


def test_map_repeats_the_item_of_a_dead_worker(store, tmp_path):
    result = run(store, Squares(count=4, lethal=2, marks=str(tmp_path)))
    assert _output(store, result, "squares", "squares.json") == [0, 1, 4, 9]
    assert (tmp_path / "died").exists()


@dataclass(frozen=True, kw_only=True)
class Spans(Stage):
    """Records when each of its tasks ran."""

    @property
    def resources(self) -> Resources:
        return Resources(cpus=1, nested=True)

    def run(self, ctx: Context) -> None:
        ctx.out.write_json("spans.json", ctx.map(self.nap, range(4)))

    def nap(self, _: int) -> tuple[float, float]:
        began = time.time()
        time.sleep(0.3)
        return began, time.time()


def test_tasks_of_a_map_keep_within_a_budget_below_that_of_the_cluster(store):
    graph = Graph([Spans()])
    budget = Resources(cpus=1)  # the cluster has two
    result = Scheduler(graph, store, RayExecutor(), Resolver(graph), run_id=RUN, budget=budget).run()
    spans: Any = _output(store, result, "spans", "spans.json")
    spans.sort()
    assert len(spans) == 4
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(spans))


@pytest.mark.parametrize("deaf", [False, True])
def test_stopping_a_run_ends_a_sleeping_stage_and_keeps_its_work(store, deaf):
    stage = Sleeps(seconds=60, deaf=deaf)
    scheduler = _scheduler(store, stage)
    work = store.work(_key(store, stage))

    def stop_when_awake() -> None:
        while not work.exists("awake"):
            time.sleep(0.05)
        scheduler.stop()
        if deaf:  # the second call kills
            time.sleep(0.3)
            scheduler.stop()

    threading.Thread(target=stop_when_awake, daemon=True).start()
    began = time.monotonic()
    with pytest.raises(Interrupted):
        scheduler.run()
    assert time.monotonic() - began < 50  # of the 60 seconds that it would sleep
    assert work.exists("awake")
    assert store.manifests() == []


def test_a_node_with_other_code_than_the_driver_refuses_the_job(store):
    graph = Graph([Number(value=3)])
    (node,) = graph.nodes.values()
    draft = Resolver(graph).draft(node, {}, {})
    code = {**draft.ingredients.code, "ssd_core.spec.detector": {"DetectorSpec": "what the driver has"}}
    ingredients = type(draft.ingredients)(**{**vars(draft.ingredients), "code": code})
    draft = type(draft)(**{**vars(draft), "ingredients": ingredients})
    job = Job(stage=node.stage, draft=draft, store=store, inputs={}, share=Resources(), run_id=RUN, attempt=1)
    executor = RayExecutor()
    handle = executor.submit(job)
    executor.wait([handle], 30)
    with pytest.raises(PipelineError, match=r"differs from the driver.s in ssd_core\.spec"):
        executor.result(handle)


def test_the_interrupt_handler_is_restored_after_a_stage_replaced_it(store):
    run(store, Replaces())
    result = run(store, Handler())
    assert _output(store, result, "handler", "handler.json") != repr(signal.SIG_DFL)


@dataclass(frozen=True, kw_only=True)
class Replaces(Stage):
    def run(self, ctx: Context) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass(frozen=True, kw_only=True)
class Handler(Stage):
    def run(self, ctx: Context) -> None:
        ctx.out.write_json("handler.json", repr(signal.getsignal(signal.SIGINT)))


def _key(store: Store, stage: Stage) -> str:
    graph = Graph([stage])
    (node,) = graph.nodes.values()
    return Resolver(graph).draft(node, {}, {}).key
