"""The loop on the in-process executor, with a clock that only moves when the loop sleeps."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from pipeline.errors import ClusterLost, Interrupted, PipelineError, StageFailed, StoreFault
from pipeline.execution.executor import Cancelled, Handle, InlineExecutor, WorkerLost
from pipeline.execution.job import Job
from pipeline.execution.outcome import Retries
from pipeline.execution.run_stage import run_stage
from pipeline.execution.scheduler import Scheduler
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.stage import Resources, Stage, execution
from pipeline.store.events import Event
from pipeline.store.lease import Leases
from pipeline.store.process import Process
from pipeline.store.runs import request_stop
from pipeline.store.store import Manifest, Store


@dataclass(frozen=True, kw_only=True)
class Sum(Stage):
    """Writes the sum of its number and those of its inputs; `rounded` drops the last digit."""

    name: str = ""
    number: int = 0
    above: tuple[Stage, ...] = ()
    rounded: bool = False
    fails: bool = False
    asks: Resources = execution(Resources())  # noqa: RUF009 - a field, not a value

    @property
    def address(self) -> str:
        return self.name

    @property
    def resources(self) -> Resources:
        return self.asks

    def run(self, ctx: Any) -> None:
        if self.fails:
            raise ValueError(f"{self.name} cannot")
        total = self.number + sum(ctx.input(stage).read_json("sum.json") for stage in self.above)
        ctx.out.write_json("sum.json", total // 10 if self.rounded else total)


@dataclass
class Clock:
    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Seen:
    events: list[Event] = field(default_factory=list)
    ticks: int = 0

    def on_event(self, event: Event) -> None:
        self.events.append(event)

    def tick(self) -> None:
        self.ticks += 1

    def of(self, *kinds: str) -> list[str]:
        return [event.address for event in self.events if event.kind in kinds]


class LosesWorkers(InlineExecutor):
    """Loses the first `times` workers together with their work."""

    def __init__(self, times: int, store: Store) -> None:
        super().__init__(Resources(cpus=2))
        self.times, self.store = times, store

    def result(self, handle: Handle) -> Manifest:
        manifest = super().result(handle)
        if self.times:
            self.times -= 1
            self.store.folder.delete(f"keys/{manifest.key}.json")
            raise WorkerLost("node 10.0.0.7 died")
        return manifest


class Parallel(InlineExecutor):
    """Remembers which jobs ran at once."""

    def __init__(self, capacity: Resources) -> None:
        super().__init__(capacity)
        self.together: list[set[str]] = []

    def wait(self, handles: Collection[Handle], timeout: float) -> list[Handle]:
        self.together.append({job.address for job in self._waiting.values()})
        return super().wait(handles, timeout)


@pytest.fixture
def store(tmp_path) -> Store:
    return Store.open(str(tmp_path / "store"))


def scheduler(store: Store, *targets: Stage, seen: Seen | None = None, **options: Any) -> Scheduler:
    graph = Graph(targets)
    clock = options.pop("clock", Clock())
    executor = options.pop("executor", InlineExecutor(Resources(cpus=2, gpus=2)))
    return Scheduler(
        graph, store, executor, Resolver(graph), run_id="run", observers=[seen] if seen else [],
        clock=clock, sleep=clock.sleep, random=Random(0), **options,
    )  # fmt: skip


def chain(**changes: Any) -> Sum:
    first = Sum(name="a", number=12, **changes)
    return Sum(name="c", number=3, above=(Sum(name="b", number=1, above=(first,), rounded=True),))


def test_inputs_run_before_what_needs_them_and_values_flow(store):
    seen = Seen()
    result = scheduler(store, chain(), seen=seen).run()
    assert seen.of("committed") == ["a", "b", "c"]
    last = result.in_state("committed")[-1].manifest
    assert store.output(last).read_json("sum.json") == (12 + 1) // 10 + 3
    assert result.status == "finished"


def test_the_same_run_again_is_cached_and_starts_nothing(store):
    scheduler(store, chain()).run()
    seen = Seen()
    result = scheduler(store, chain(), seen=seen).run()
    assert seen.of("cached") == ["a", "b", "c"]
    assert seen.of("started") == []
    assert result.status == "finished"


def test_an_input_recomputed_to_the_same_bytes_does_not_rerun_what_is_below_it(store):
    scheduler(store, chain()).run()
    seen = Seen()
    changed = Sum(name="a", number=13)  # (13 + 1) // 10 is (12 + 1) // 10
    middle = Sum(name="b", number=1, above=(changed,), rounded=True)
    scheduler(store, Sum(name="c", number=3, above=(middle,)), seen=seen).run()
    assert (seen.of("started"), seen.of("cached")) == (["a", "b"], ["c"])


def test_the_longest_remaining_path_starts_first_and_ties_keep_their_order(store):
    seen = Seen()
    short = (Sum(name="s1", number=1), Sum(name="s2", number=2))
    scheduler(store, *short, chain(), seen=seen, budget=Resources(cpus=1)).run()
    assert seen.of("started") == ["a", "b", "s1", "s2", "c"]


def test_stages_run_together_while_their_cpus_and_gpus_fit(store):
    executor = Parallel(Resources(cpus=8, gpus=2))
    asked = [("w", 2), ("x", 1), ("y", 1), ("z", 0)]
    stages = [Sum(name=name, number=gpus, asks=Resources(cpus=1, gpus=gpus)) for name, gpus in asked]
    stages[3] = Sum(name="z", asks=Resources(cpus=7))
    scheduler(store, *stages, executor=executor).run()
    assert executor.together[0] == {"w", "z"}
    assert {"x", "y"} in executor.together


def test_of_stages_with_one_key_one_runs_and_the_others_are_cached(store):
    """Their inputs are different stages with equal results: all would work in one folder."""
    seen, executor = Seen(), Parallel(Resources(cpus=8))
    inputs = [Sum(name=f"in{number}", number=number, rounded=True) for number in (1, 2, 3)]
    scheduler(store, *(Sum(name="out", above=(each,)) for each in inputs), seen=seen, executor=executor).run()
    assert [len(seen.of(kind)) for kind in ("started", "committed", "cached")] == [4, 4, 2]


def test_tenths_of_a_gpu_add_up_to_one(store):
    executor = Parallel(Resources(cpus=20, gpus=1))
    stages = [Sum(name=f"s{index}", number=index, asks=Resources(gpus=0.1)) for index in range(10)]
    scheduler(store, *stages, executor=executor).run()
    assert len(executor.together[0]) == 10


def test_a_stage_larger_than_the_whole_budget_is_refused_and_never_waits(store):
    result = scheduler(store, Sum(name="big", asks=Resources(gpus=8)), Sum(name="small")).run()
    (failed,) = result.in_state("failed")
    assert isinstance(failed.error, PipelineError)
    assert "big asks for 8 GPUs, but there are 2 in all" in str(failed.error)
    assert [outcome.address for outcome in result.in_state("committed")] == ["small"]


def broken() -> tuple[Sum, Sum]:
    bad = Sum(name="bad", fails=True)
    return Sum(name="below", above=(Sum(name="next", above=(bad,)),)), Sum(name="good", number=5)


def test_a_failure_skips_what_needs_it_and_the_rest_continues(store):
    seen = Seen()
    result = scheduler(store, *broken(), seen=seen).run()
    assert seen.of("committed") == ["good"]
    assert {outcome.address: outcome.because for outcome in result.in_state("skipped")} == {
        "next": "bad failed",
        "below": "bad failed",
    }
    (failed,) = [event for event in seen.events if event.kind == "failed"]
    assert (failed.data["class"], failed.data["message"]) == ("ValueError", "bad cannot")
    assert "in run" in failed.data["traceback"]
    with pytest.raises(StageFailed, match="bad: ValueError: bad cannot"):
        result.raise_for_failures()
    assert result.status == "failed"
    assert [name for name in (store.folder / "leases").files() if name.endswith(".json")] == []


def test_without_keep_going_nothing_starts_after_a_failure(store):
    seen = Seen()
    result = scheduler(store, *broken(), seen=seen, keep_going=False, budget=Resources(cpus=1)).run()
    assert seen.of("started") == ["bad"]
    assert [outcome.address for outcome in result.in_state("skipped")] == ["next", "below", "good"]


def test_without_keep_going_running_stages_are_kept(store):
    seen = Seen()
    good = Sum(name="good", number=5)
    targets = (*broken()[:1], Sum(name="after", above=(good,)))
    result = scheduler(store, *targets, seen=seen, keep_going=False).run()
    assert seen.of("started") == ["bad", "good"]
    assert {outcome.address: outcome.state for outcome in result.outcomes.values()} == {
        "bad": "failed", "next": "skipped", "below": "skipped", "good": "committed", "after": "skipped",
    }  # fmt: skip


def test_a_failed_stage_leaves_no_attempt_behind_and_runs_again_the_next_time(store):
    scheduler(store, *broken()).run()
    assert len({name.split("/")[1] for name in (store.folder / "objects").files()}) == 1
    seen = Seen()
    scheduler(store, *broken(), seen=seen).run()
    assert (seen.of("cached"), seen.of("started")) == (["good"], ["bad"])


def test_a_lost_worker_is_retried_after_growing_waits(store):
    seen, clock = Seen(), Clock()
    executor = LosesWorkers(times=2, store=store)
    retries = Retries(limit=3, first_delay=2, factor=2, jitter=0)
    result = scheduler(store, Sum(name="a"), seen=seen, clock=clock, executor=executor, retries=retries).run()
    assert result.status == "finished"
    assert seen.of("started") == ["a", "a", "a"]
    assert [event.data["delay"] for event in seen.events if event.kind == "retried"] == [2, 4]
    assert seen.events[3].data["reason"] == "node 10.0.0.7 died"
    assert clock.now == pytest.approx(6)


def test_a_worker_lost_too_often_is_a_failure(store):
    executor = LosesWorkers(times=99, store=store)
    result = scheduler(store, Sum(name="a"), executor=executor, retries=Retries(limit=2)).run()
    assert isinstance(result.in_state("failed")[0].error, WorkerLost)
    assert executor.times == 99 - 3


def test_the_jitter_of_waits_stays_in_its_bounds():
    delays = [Retries(first_delay=2, jitter=0.25).delay(1, Random(seed)) for seed in range(100)]
    assert 2 <= min(delays) < 2.1
    assert 2.4 < max(delays) <= 2.5


def test_a_stage_that_another_driver_runs_is_waited_for_and_then_counts_as_cached(store, tmp_path):
    seen, clock = Seen(), Clock()
    target = Sum(name="a", number=4)
    key = Resolver(Graph([target])).draft(next(iter(Graph([target]).nodes.values())), {}, {}).key
    other = Leases(store.folder / "leases", Process("far-away", 77, 1.0))
    other.acquire(key)

    def commit_after_three_seconds(seconds: float) -> None:
        Clock.sleep(clock, seconds)
        if clock.now > 3:
            elsewhere = scheduler(store, target)
            elsewhere._leases.acquire = lambda key: None  # type: ignore[method-assign]
            elsewhere.run()
            other.release(key)

    clock.sleep = commit_after_three_seconds  # type: ignore[method-assign]
    result = scheduler(store, target, seen=seen, clock=clock).run()
    assert seen.of("waiting", "started", "cached") == ["a", "a"]
    assert seen.of("started") == []
    assert result.status == "finished"
    assert "pid 77" in next(event.data["holder"] for event in seen.events if event.kind == "waiting")
    other.close()


class NeverEnds(InlineExecutor):
    """Jobs that run until they are cancelled; `stubborn` ones until they are killed."""

    def __init__(self, clock: Clock, *, stubborn: bool = False) -> None:
        super().__init__(Resources(cpus=2))
        self.clock, self.stubborn = clock, stubborn
        self.asked: list[bool] = []
        self.asked_at: list[float] = []
        self.on_wait = lambda: None

    def wait(self, handles: Collection[Handle], timeout: float) -> list[Handle]:
        self.clock.sleep(timeout)
        self.on_wait()
        return [handle for handle in handles if handle in self._results]

    def cancel(self, handle: Handle, *, force: bool = False) -> None:
        self.asked.append(force)
        self.asked_at.append(self.clock.now)
        if force or not self.stubborn:
            super().cancel(handle)

    def result(self, handle: Handle) -> Manifest:
        assert isinstance(handle, int)
        error = self._results.pop(handle)
        assert isinstance(error, Cancelled)
        raise error


def test_stop_cancels_what_runs_keeps_what_is_committed_and_says_so(store):
    clock, seen = Clock(), Seen()
    scheduler(store, Sum(name="done", number=9)).run()
    executor = NeverEnds(clock)
    targets = [Sum(name="done", number=9), *(Sum(name=f"s{index}", number=index) for index in range(3))]
    run = scheduler(store, *targets, seen=seen, clock=clock, executor=executor)
    executor.on_wait = lambda: run.stop() if not run._stops else None
    with pytest.raises(Interrupted, match="1 of 4 stages are kept") as interrupted:
        run.run()
    assert interrupted.value.exit_code == 130
    assert seen.of("cancelled") == ["s0", "s1"]
    assert executor.asked == [False, False]
    assert {outcome.state for outcome in run.result.outcomes.values()} == {"cached", "cancelled", "planned"}
    assert seen.events[-1].data == {"status": "interrupted"}


def test_a_job_that_does_not_end_is_killed_after_thirty_seconds_or_at_the_second_stop(store):
    clock = Clock()
    executor = NeverEnds(clock, stubborn=True)
    run = scheduler(store, Sum(name="a"), clock=clock, executor=executor)
    executor.on_wait = lambda: run.stop() if not run._stops else None
    with pytest.raises(Interrupted):
        run.run()
    assert executor.asked == [False, True]
    assert 30 < clock.now < 33

    clock = Clock()
    executor = NeverEnds(clock, stubborn=True)
    run = scheduler(store, Sum(name="a"), clock=clock, executor=executor)
    executor.on_wait = run.stop
    with pytest.raises(Interrupted):
        run.run()
    assert True in executor.asked
    assert clock.now < 5


@pytest.mark.parametrize("stopped", [False, True])
def test_when_the_cluster_is_lost_the_run_ends_at_once_and_its_stages_are_free_for_the_next(store, stopped):
    clock = Clock()
    executor = NeverEnds(clock)

    def lost() -> None:
        if stopped and not run._stops:
            run.stop()
        else:
            raise ClusterLost("Ray's head has not answered for 4 s")

    executor.on_wait = lost
    run = scheduler(store, Sum(name="b", above=(Sum(name="a"),)), clock=clock, executor=executor)
    with pytest.raises(ClusterLost, match="has not answered for 4 s"):
        run.run()
    assert clock.now < 5
    assert scheduler(store, Sum(name="b", above=(Sum(name="a"),)), clock=clock).run().status == "finished"


@dataclass(frozen=True, kw_only=True)
class Saves(Sum):
    saves_when_stopped = True


def test_a_stage_that_saves_is_asked_first_cancelled_after_twenty_seconds_and_killed_at_thirty(store):
    clock = Clock()
    executor = NeverEnds(clock, stubborn=True)
    run = scheduler(store, Saves(name="a"), clock=clock, executor=executor)
    executor.on_wait = lambda: run.stop() if not run._stops else None
    with pytest.raises(Interrupted):
        run.run()
    assert executor.asked == [False, True]
    assert executor.asked_at == [pytest.approx(20, abs=1.5), pytest.approx(30, abs=1.5)]
    (stop,) = (name for name in store.folder.files() if name.endswith("/stop"))
    assert scheduler(store, Saves(name="a")).run().status == "finished"
    assert not store.folder.exists(stop)


@pytest.mark.parametrize(
    ("kind", "failure"), [(Saves, "; a failed: no memory left; b failed: no memory left"), (Sum, "")]
)
def test_a_stage_that_breaks_while_it_saves_has_failed_and_one_that_breaks_when_cancelled_has_not(store, kind, failure):
    class Breaks(NeverEnds):
        def wait(self, handles: Collection[Handle], timeout: float) -> list[Handle]:
            stopped = run._stops > 0
            super().wait(handles, timeout)
            return list(handles) if stopped else []

        def result(self, handle: Handle) -> Manifest:
            raise RuntimeError(f"no memory left\nfor {handle}")

    clock = Clock()
    executor = Breaks(clock, stubborn=True)
    run = scheduler(store, *(kind(name=name) for name in "abc"), clock=clock, executor=executor)
    executor.on_wait = lambda: run.stop() if not run._stops else None
    with pytest.raises(Interrupted, match=f"^stopped: 0 of 3 stages are kept{failure}; the same command resumes"):
        run.run()


def test_a_request_to_stop_after_ctrl_c_does_not_kill_what_saves_and_one_to_kill_does(store):
    for kill, asked in ((False, False), (True, True)):
        clock = Clock()
        executor = NeverEnds(clock, stubborn=True)
        run = scheduler(store, Saves(name="a"), clock=clock, executor=executor)

        def ctrl_c_then_request(run: Scheduler = run, *, kill: bool = kill) -> None:
            if not run._stops:
                run.stop()
                request_stop(store.run(run.result.run_id), kill=kill)

        executor.on_wait = ctrl_c_then_request
        with pytest.raises(Interrupted):
            run.run()
        assert executor.asked[0] is asked
        assert (clock.now < 5) is asked


def test_a_request_to_save_does_not_start_another_store_where_the_store_is_gone(store):
    clock = Clock()
    executor = NeverEnds(clock)
    run = scheduler(store, Saves(name="a"), clock=clock, executor=executor)
    executor.on_wait = lambda: store.folder.delete() if store.folder.exists("format.json") else None
    with pytest.raises(StoreFault, match="is gone"):
        run.run()
    assert executor.asked[0] is False
    assert not any(name.endswith("/stop") for name in store.folder.files())


def test_a_second_stop_kills_at_once_also_what_would_save(store):
    clock = Clock()
    executor = NeverEnds(clock, stubborn=True)
    run = scheduler(store, Saves(name="a"), clock=clock, executor=executor)
    executor.on_wait = run.stop
    with pytest.raises(Interrupted):
        run.run()
    assert executor.asked[0] is True
    assert clock.now < 5


def test_ctrl_c_inside_a_stage_leaves_a_state_that_the_same_command_finishes(store, monkeypatch):
    interrupted: list[Job] = []

    def interrupt_the_second(job: Job) -> Manifest:
        if job.address == "b" and not interrupted:
            interrupted.append(job)
            raise KeyboardInterrupt
        return run_stage(job)

    monkeypatch.setattr("pipeline.execution.executor.run_stage", interrupt_the_second)
    seen = Seen()
    with pytest.raises(Interrupted, match="1 of 3 stages are kept"):
        scheduler(store, chain(), seen=seen).run()
    assert (seen.of("committed"), seen.of("cancelled")) == (["a"], ["b"])
    seen = Seen()
    assert scheduler(store, chain(), seen=seen).run().status == "finished"
    assert (seen.of("cached"), seen.of("started")) == (["a"], ["b", "c"])


def test_a_missing_data_set_is_reported_before_anything_starts(store):
    @dataclass(frozen=True, kw_only=True)
    class Missing(Sum):
        def external_digest(self) -> str:
            raise PipelineError("no folder VOC2007")

    with pytest.raises(PipelineError, match="no folder VOC2007"):
        scheduler(store, Missing(name="late", above=(Sum(name="early"),)))
    assert not store.folder.exists()


def test_an_error_in_an_observer_ends_the_run_and_cancels_what_runs(store):
    class Broken(Seen):
        def tick(self) -> None:
            raise RuntimeError("defect")

    with pytest.raises(RuntimeError, match="defect"):
        scheduler(store, chain(), seen=Broken()).run()
