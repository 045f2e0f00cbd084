"""What a run will cost: images, arithmetic, GPU time, wall time and disk of the stages that are not cached."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.keys.fingerprint import class_name
from pipeline.planning.graph import Graph
from pipeline.planning.makespan import makespan
from pipeline.planning.plan import PlanRow
from pipeline.stage import Resources
from pipeline.store.record import read_progress
from pipeline.store.store import Store
from stages.cost.disk import checkpoint_bytes, result_bytes
from stages.cost.past import Device, PastRun, past_runs
from stages.cost.prices import Origin, Prices
from stages.cost.work import Works
from stages.training.train import Train


@dataclass(frozen=True, kw_only=True)
class StageCost:
    """Of one stage that is to run; of one that goes on, what is left."""

    address: str
    kind: str
    images: float
    flops: float
    device: Device
    device_seconds: float
    """Seconds times its GPUs, or its CPUs where it has none."""

    seconds: float
    """From its start to its end."""

    origin: Origin
    device_name: str
    """Of the past runs that tell the time; empty where none do."""

    result_bytes: float
    work_bytes: float
    """Beside the result while it runs: checkpoints."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of a whole graph."""

    stages: tuple[StageCost, ...]
    wall_seconds: Mapping[int, float]
    """By the number of GPUs, the asked one first; by the number of CPUs where none is asked for."""

    result_bytes: float
    peak_bytes: float
    """Results, and the checkpoints of the trainings that run at once."""

    def device_hours(self, device: Device) -> float:
        return sum(stage.device_seconds for stage in self.stages if stage.device == device) / 3600


def cost(graph: Graph, rows: Sequence[PlanRow], store: Store, total: Resources, tflops: float | None = None) -> Cost:
    """Cost of the planned `rows`, with `total` to run on.

    `tflops`: rate of one GPU or core, instead of what past runs tell. PipelineError when a stage asks for more than
    `total` has.
    """
    to_run = [row for row in rows if row.state != "cached"]
    pricing = _Pricing(rows, past_runs(store) if to_run else [], store, tflops)
    costs = {row.node.id: pricing.of(row) for row in to_run}
    seconds = {node_id: each.seconds for node_id, each in costs.items()}
    trainings = [row.node.stage.resources for row in to_run if isinstance(row.node.stage, Train)]
    results = sum(each.result_bytes for each in costs.values())
    return Cost(
        stages=tuple(costs.values()),
        wall_seconds={number: makespan(graph, seconds, room) for number, room in _rooms(trainings, total).items()},
        result_bytes=results,
        peak_bytes=results + _checkpoints([each.work_bytes for each in costs.values()], trainings, total),
    )


class _Pricing:
    def __init__(self, rows: Iterable[PlanRow], past: Sequence[PastRun], store: Store, tflops: float | None) -> None:
        self._past, self._store = past, store
        self._prices = Prices(past, tflops)
        self._works = Works(store, {row.node.stage: row.manifest for row in rows if row.manifest})

    def of(self, row: PlanRow) -> StageCost:
        stage, left = row.node.stage, self._left(row)
        work, occupied = self._works.of(stage), stage.resources
        device: Device = "gpu" if occupied.gpus else "cpu"
        price = self._prices.of(class_name(type(stage)), work, device)
        return StageCost(
            address=row.address,
            kind=row.address.partition("/")[0],
            images=work.images * left if work else 0,
            flops=work.flops * left if work else 0,
            device=device,
            device_seconds=price.device_seconds * left,
            seconds=price.device_seconds * left / (occupied.gpus or occupied.cpus),
            origin=price.origin,
            device_name=price.device_name,
            result_bytes=result_bytes(stage, work, self._past),
            work_bytes=checkpoint_bytes(stage) if isinstance(stage, Train) else 0,
        )

    def _left(self, row: PlanRow) -> float:
        """Part that is not done yet."""
        progress = read_progress(self._store.work(row.key)) if row.state == "resume" else None
        return 1 - progress.done / progress.total if progress and progress.total else 1.0


def _rooms(trainings: Sequence[Resources], total: Resources) -> dict[int, Resources]:
    """What to run on: as asked; of GPUs also no more than one training takes, and as many as all can use."""
    if not total.gpus:
        return {int(total.cpus): total}
    gpus = [each.gpus for each in trainings]
    numbers = [total.gpus, max(gpus), sum(gpus)] if any(gpus) else [total.gpus]
    return {int(number): Resources(cpus=math.inf, gpus=number) for number in numbers}


def _checkpoints(each: Iterable[float], trainings: Iterable[Resources], total: Resources) -> float:
    """Bytes of the checkpoints of as many trainings as run at once, the largest of them."""
    shares = [asked.gpus / total.gpus if asked.gpus else asked.cpus / total.cpus for asked in trainings]
    at_once = int(1 / max(shares) + 1e-6) if shares else 0
    return sum(sorted(each, reverse=True)[:at_once])
