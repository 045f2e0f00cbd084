"""Five hundred trainings on 64 GPUs, simulated: the executor of the test ends jobs by a clock and computes nothing."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from pipeline.execution.executor import Handle, InlineExecutor
from pipeline.execution.job import Job
from pipeline.execution.scheduler import Scheduler
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.stage import Context, Resources, Stage, execution
from pipeline.store.store import Store

TRAININGS, GPUS, CONTROLLERS = 500, 64, 60
SECONDS = 100.0


@dataclass(frozen=True, kw_only=True)
class Trains(Stage):
    number: int
    gpus: int = execution(1)

    @property
    def resources(self) -> Resources:
        return Resources(cpus=8 * self.gpus, gpus=self.gpus, nested=True, workers=self.gpus)

    def run(self, ctx: Context) -> None:
        ctx.out.write_json("number.json", self.number)


@dataclass(frozen=True, kw_only=True)
class Evaluates(Stage):
    training: Trains

    def run(self, ctx: Context) -> None:
        ctx.out.write_json("number.json", 2 * ctx.input(self.training).read_json("number.json"))


class Simulated(InlineExecutor):
    """Each training lasts 100 seconds of the clock, everything else one."""

    def __init__(self) -> None:
        super().__init__(Resources(cpus=8 * GPUS, gpus=GPUS))
        self.now = 0.0
        self.ends: dict[Handle, float] = {}
        self.stages: dict[Handle, Stage] = {}
        self.gpus: list[float] = []
        self.nested: list[int] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def submit(self, job: Job) -> Handle:
        handle = super().submit(job)
        self.ends[handle] = self.now + (SECONDS if job.stage.resources.nested else 1.0)
        self.stages[handle] = job.stage
        running = [stage.resources for stage in self.stages.values()]
        self.gpus.append(sum(resources.gpus for resources in running))
        self.nested.append(sum(resources.nested for resources in running))
        return handle

    def wait(self, handles: Collection[Handle], timeout: float) -> list[Handle]:
        first = min(handles, key=self.ends.__getitem__)
        self.now = max(self.now, self.ends[first])
        del self.stages[first]
        return super().wait([first], timeout)


def test_trainings_of_several_sizes_fill_64_gpus_and_none_waits_for_ever(tmp_path: Path) -> None:
    sizes = [(1, 1, 2, 4, 8)[number % 5] for number in range(TRAININGS)]
    trainings = [Trains(number=number, gpus=gpus, variant=str(number)) for number, gpus in enumerate(sizes)]
    graph = Graph([Evaluates(training=training, variant=training.variant) for training in trainings])
    executor = Simulated()
    began = time.process_time()
    result = Scheduler(
        graph,
        Store.open(str(tmp_path)),
        executor,
        Resolver(graph),
        run_id="large",
        controllers=CONTROLLERS,
        clock=executor.clock,
        sleep=executor.sleep,
    ).run()
    assert len(result.in_state("committed")) == 2 * TRAININGS
    assert max(executor.gpus) == GPUS
    assert max(executor.nested) <= CONTROLLERS
    assert executor.now < 1.3 * SECONDS * sum(sizes) / GPUS
    print(f"{time.process_time() - began:.1f} s of CPU for {2 * TRAININGS} stages")
