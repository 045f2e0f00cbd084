"""Estimate of what a run will cost: images, arithmetic, GPU time, wall time and disk of the stages not yet cached."""

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
from stages.cost.starts import Starts, starts
from stages.cost.work import Works
from stages.training.train import Train


@dataclass(frozen=True, kw_only=True)
class StageCost:
    """Cost of one stage to run; of a stage that resumes, what is left of it."""

    address: str
    kind: str
    images: float
    flops: float
    device: Device
    device_seconds: float
    """Seconds times its GPUs, or its CPUs if it uses no GPU."""

    seconds: float
    """Wall time from start to end."""

    origin: Origin
    device_name: str
    """Device of the past runs that the estimate rests on; empty if there are none."""

    result_bytes: float
    work_bytes: float
    """Bytes held beside the result while the stage runs: checkpoints."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Cost of a whole graph."""

    stages: tuple[StageCost, ...]
    wall_seconds: Mapping[int, float]
    """Wall time by number of GPUs, the requested number first; by number of CPUs if no GPU is requested."""

    result_bytes: float
    peak_bytes: float
    """Bytes of all results and of the checkpoints of the trainings that run concurrently."""

    starts: Starts
    """What `--in-process` would save."""

    def device_hours(self, device: Device) -> float:
        return sum(stage.device_seconds for stage in self.stages if stage.device == device) / 3600


def cost(graph: Graph, rows: Sequence[PlanRow], store: Store, total: Resources, tflops: float | None = None) -> Cost:
    """Estimate the cost of the planned `rows` on the resources `total`.

    `tflops` is the rate of one GPU or core, used in place of past runs. Raises PipelineError when a stage needs more
    than `total` has.
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
        starts=starts((row.node.stage for row in to_run), store),
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
        device_seconds = price.start + (price.device_seconds - price.start) * left
        return StageCost(
            address=row.address,
            kind=row.address.partition("/")[0],
            images=work.images * left if work else 0,
            flops=work.flops * left if work else 0,
            device=device,
            device_seconds=device_seconds,
            seconds=device_seconds / (occupied.gpus or occupied.cpus),
            origin=price.origin,
            device_name=price.device_name,
            result_bytes=result_bytes(stage, work, self._past),
            work_bytes=checkpoint_bytes(stage) if isinstance(stage, Train) else 0,
        )

    def _left(self, row: PlanRow) -> float:
        """Fraction of the stage that remains."""
        progress = read_progress(self._store.work(row.key)) if row.state == "resume" else None
        return 1 - progress.done / progress.total if progress and progress.total else 1.0


def _rooms(trainings: Sequence[Resources], total: Resources) -> dict[int, Resources]:
    """Resources to estimate wall time for: as requested; of GPUs also enough for the largest training and for all."""
    if not total.gpus:
        return {int(total.cpus): total}
    gpus = [each.gpus for each in trainings]
    numbers = [total.gpus, max(gpus), sum(gpus)] if any(gpus) else [total.gpus]
    return {int(number): Resources(cpus=math.inf, gpus=number) for number in numbers}


def _checkpoints(each: Iterable[float], trainings: Iterable[Resources], total: Resources) -> float:
    """Bytes of the checkpoints of the trainings that run concurrently, taking the largest."""
    shares = [asked.gpus / total.gpus if asked.gpus else asked.cpus / total.cpus for asked in trainings]
    at_once = int(1 / max(shares) + 1e-6) if shares else 0
    return sum(sorted(each, reverse=True)[:at_once])
