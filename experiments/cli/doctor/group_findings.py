"""Judgement of what a group of workers computed: the sum, the losses, the speed.

Tested in tests/experiments/cli/test_doctor_cluster.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from math import inf, isnan
from typing import TYPE_CHECKING

from experiments.cli.doctor.finding import Finding

if TYPE_CHECKING:
    from stages.training.selfcheck.group import GroupReport

TOLERANCE = 1e-5
"""Largest relative difference of two losses that counts as rounding."""

LOW_EFFICIENCY = 0.5
DEBUG = "NCCL_DEBUG=INFO on each node writes into worker-*.out of Ray's logs what NCCL chose"


def group_findings(report: GroupReport) -> Iterator[Finding]:
    yield _reduction(report)
    yield _losses(report)
    yield _speed(report)


def _reduction(report: GroupReport) -> Finding:
    reduction, size = report.reduction, len(report.workers)
    facts = {**asdict(reduction), "bandwidth": reduction.bandwidth, "workers": report.workers}
    if reduction.wrong:
        names = ", ".join(f"{rank} on {report.workers[rank]['address']}" for rank in reduction.wrong)
        return Finding(
            name="all-reduce",
            state="problem",
            text=f"the sum over {size} workers by {report.backend} is wrong on workers {names}",
            remedy=f"Do not train there. Try NCCL_P2P_DISABLE=1, then NCCL_IB_DISABLE=1, to find the link; {DEBUG}",
            facts=facts,
        )
    if size == 1:
        text, remedy = "one worker has nothing to add up", "Give --gpus 2 or --workers 2 at least"
        return Finding(name="all-reduce", state="note", text=text, remedy=remedy, facts=facts)
    text = (
        f"the sum over {size} workers by {report.backend} is exact; {reduction.bytes / 2**20:.0f} MiB take "
        f"{1000 * reduction.seconds:.1f} ms, {reduction.bandwidth / 1e9:.2f} GB/s through each link"
    )
    return Finding(name="all-reduce", text=text, facts=facts)


def _losses(report: GroupReport) -> Finding:
    pairs = list(zip(report.losses, report.losses_alone, strict=True))
    differences = [abs(one - other) / max(abs(other), 1e-12) for one, other in pairs]
    difference = max(differences, key=lambda each: inf if isnan(each) else each)  # max alone may pass over a NaN
    facts = {"losses": report.losses, "losses_alone": report.losses_alone, "difference": difference}
    text = (
        f"{len(pairs)} steps of {report.batch_size} images on {len(report.workers)} workers and on one: they differ by "
        f"at most {difference:.1e}, relative"
    )
    if difference <= TOLERANCE:
        return Finding(name="losses", text=text, facts=facts)
    remedy = f"Do not train there: the workers do not compute what one does. Send the report of --out; {DEBUG}"
    return Finding(
        name="losses", state="problem", text=f"{text}; rounding is within {TOLERANCE:g}", remedy=remedy, facts=facts
    )


def _speed(report: GroupReport) -> Finding:
    size = len(report.workers)
    efficiency = report.rate / (size * report.rate_alone)
    facts = {"rate": report.rate, "rate_alone": report.rate_alone, "efficiency": efficiency}
    text = (
        f"{report.network}, batches of {report.batch_size}: {report.rate_alone:.1f} images/s on one worker, "
        f"{report.rate:.1f} on {size}: efficiency {efficiency:.0%}"
    )
    if efficiency >= LOW_EFFICIENCY:
        return Finding(name="speed", text=text, facts=facts)
    remedy = (
        "Less than half: compare the bandwidth above with that of your links; several nodes want their fastest "
        "interface, and CPU workers a core each"
    )
    return Finding(name="speed", state="note", text=text, remedy=remedy, facts=facts)
