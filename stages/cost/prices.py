"""How long work takes on one GPU or CPU core: from past runs of its kind, or from arithmetic and a rate.

Tested in tests/stages/cost/test_cost.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from stages.cost.past import Device, PastRun
from stages.cost.work import Precision, Work

Origin = Literal["same", "other", "given", "assumed", "unknown"]
"""Basis of an estimate: past runs of this shape; past runs of other shapes, by their operations per second; a given
rate; an assumed rate; or nothing."""

ASSUMED_TFLOPS: dict[tuple[Device, Precision], float] = {
    ("gpu", "fp32"): 20.0,
    ("gpu", "bf16"): 40.0,
    ("cpu", "fp32"): 0.03,
    ("cpu", "bf16"): 0.03,
}
"""10^12 operations per second over a whole training. GPU: derived from the 364 and 724 images/s that NVIDIA publishes
for its SSD300 with ResNet-50 (about 9 giga multiply-adds) on an A100, with TF32 and with mixed precision; not measured
here. CPU: a shared core of an AMD EPYC, 0.025 in `make demo` and 0.048 in benchmarks/results."""

TRAININGS = ("stages.training.train.Train", "stages.training.part.TrainPart")
"""Classes of stages that take equally long for equal work."""

RECENT = 20
"""Number of newest past runs to use: the machine may have changed since older ones."""


@dataclass(frozen=True, kw_only=True)
class Price:
    device_seconds: float
    """Of the whole stage, its start included."""

    origin: Origin
    device_name: str = ""
    """Device of the past runs used."""

    start: float = 0.0
    """The part of `device_seconds` that does not depend on the number of images."""


@dataclass(frozen=True)
class Prices:
    past: Sequence[PastRun]
    """Oldest first."""

    tflops: float | None = None
    """Given rate of one GPU or core, used in place of past runs."""

    def of(self, stage: str, work: Work | None, device: Device) -> Price:
        """Price of a stage of class `stage`; the median of past runs if its work is not countable."""
        alike = TRAININGS if stage in TRAININGS else (stage,)
        past = [run for run in self.past if run.stage in alike and run.device == device][-RECENT:]
        if work is None:
            return _median(past, [1.0 for _ in past], "same", 1)
        if work.spec and self.tflops:
            return Price(device_seconds=work.flops / (self.tflops * 1e12), origin="given")
        equal = [run for run in past if run.work and run.work.shape == work.shape]
        if equal:
            return _median(equal, [run.work.images for run in equal if run.work], "same", work.images)
        if not work.spec:
            return Price(device_seconds=0.0, origin="unknown")
        others = [run for run in past if run.work and run.work.precision == work.precision and run.flops > 0]
        if others:
            return _median(others, [run.flops for run in others], "other", work.flops)
        rate = ASSUMED_TFLOPS[device, work.precision] * 1e12
        return Price(device_seconds=work.flops / rate, origin="assumed")


def _median(runs: Sequence[PastRun], amounts: Sequence[float], origin: Origin, amount: float) -> Price:
    """Price of an amount of work by the medians of start and time per unit; the runs did `amounts` of it."""
    if not runs:
        return Price(device_seconds=0.0, origin="unknown")
    start = median(run.start for run in runs)
    unit = median((run.device_seconds - run.start) / each for run, each in zip(runs, amounts, strict=True))
    return Price(device_seconds=start + unit * amount, start=start, origin=origin, device_name=runs[-1].device_name)
