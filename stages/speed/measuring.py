"""The measuring of `stages.speed.stages`: the rounds, and their times as documents.

Tested in tests/stages/speed/test_stages.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pipeline.errors import PipelineError
from pipeline.store.record import SUMMARY
from ssd_core.detection.speed import (
    Runner,
    Seconds,
    Speed,
    arithmetic,
    candidates_per_image,
    of_first,
    stream_seconds,
    why_not,
)
from ssd_core.detection.speed_modes import SpeedMode
from stages.speed.bench import RESIDENT, Bench, bench_of
from stages.speed.stages import SPEED, CompareSpeed, MeasureSpeed

if TYPE_CHECKING:
    from pipeline.stage import Context

Document = dict[str, Any]


def measure(stage: MeasureSpeed, ctx: Context) -> None:
    """Write the speed of one detector."""
    rounds = 2 * len(stage.modes) * len(stage.batches) * (stage.effort.warmup + stage.effort.timed)
    measured: list[Document] = []
    missing: list[Document] = []
    with bench_of(stage, ctx, rounds) as (bench, conditions):
        for mode in stage.modes:
            runner = Runner(bench.detector(stage.network, ctx), mode, bench.device, stage.limits)
            reason = why_not(mode, bench.device) or _compiling_fails(bench, runner, mode)
            if reason and mode == stage.modes[0]:
                raise PipelineError(f"mode {mode.name} cannot be measured here: {reason}")
            if reason:
                missing.append({"mode": mode.name, "reason": reason})
            else:
                measured += _of_mode(bench, stage, runner, mode)
    ctx.out.write_json(SPEED, conditions | {"measured": measured, "not_measured": missing})
    ctx.out.write_json(SUMMARY, summarise(measured, stage.modes[0].name))


def _compiling_fails(bench: Bench, runner: Runner, mode: SpeedMode) -> str:
    """Why a compiled mode does not run here, such as for want of a C++ compiler; empty when it does."""
    if not mode.compiled:
        return ""
    try:
        with arithmetic(mode, bench.device):
            runner.forward(runner.placed(bench.images(runner.detector, 1)))
    except RuntimeError as error:  # torch's own errors of compiling are of this kind
        return f"torch.compile fails: {str(error).strip().partition(chr(10))[0]}"
    return ""


def _of_mode(bench: Bench, stage: MeasureSpeed, runner: Runner, mode: SpeedMode) -> list[Document]:
    found = []
    with arithmetic(mode, bench.device):
        logits = runner.forward(runner.placed(bench.images(runner.detector, RESIDENT)))[1]
        candidates = candidates_per_image(logits, stage.limits.min_score)
        for batch in stage.batches:
            seconds = bench.in_turns(bench.works(runner, batch, backbone=not mode.compiled))
            seconds["end_to_end"] = _end_to_end(bench, stage, runner, batch)
            for protocol, values in seconds.items():
                what = {"mode": mode.name, "protocol": protocol, "batch": batch, "candidates_per_image": candidates}
                found.append(what | asdict(Speed.of(values, batch)))
    return found


def _end_to_end(bench: Bench, stage: MeasureSpeed, runner: Runner, batch: int) -> Seconds:
    effort = stage.effort
    batches = bench.stream(
        runner.detector, batch, batches=effort.warmup + effort.timed, loader_processes=stage.loader_processes
    )
    return stream_seconds(
        lambda item: runner.detect(runner.placed(item.images)),
        batches,
        warmup=effort.warmup,
        timed=effort.timed,
        after_batch=bench.tick,
    )


def compare(stage: CompareSpeed, ctx: Context) -> None:
    """Write the speeds of several detectors."""
    rounds = len(stage.batches) * (stage.effort.warmup + stage.effort.timed)
    measured: list[Document] = []
    with bench_of(stage, ctx, rounds) as (bench, conditions):
        if reason := why_not(stage.mode, bench.device):
            raise PipelineError(f"mode {stage.mode.name} cannot be measured here: {reason}")
        runners = {
            network.label: Runner(bench.detector(network, ctx), stage.mode, bench.device, stage.limits)
            for network in stage.networks
        }
        with arithmetic(stage.mode, bench.device):
            for batch in stage.batches:
                measured += _side_by_side(bench, runners, batch)
    ctx.out.write_json(SPEED, conditions | {"mode": stage.mode.name, "measured": measured})
    numbers = ("images_per_second", "p50_ms", "p90_ms", "of_first")
    ctx.out.write_json(
        SUMMARY,
        {
            f"speed/{item['network']}/{item['protocol']}/batch{item['batch']}/{name}": item[name]
            for item in measured
            for name in numbers
        },
    )


def _side_by_side(bench: Bench, runners: Mapping[str, Runner], batch: int) -> list[Document]:
    works = {
        (label, protocol): work
        for label, runner in runners.items()
        for protocol, work in bench.works(runner, batch, backbone=False).items()
    }
    seconds = bench.in_turns({f"{protocol}/{label}": work for (label, protocol), work in works.items()})
    ratios = {
        protocol: of_first({label: seconds[f"{protocol}/{label}"] for label in runners})
        for protocol in ("forward", "detection")
    }
    return [
        {"network": label, "protocol": protocol, "batch": batch, "of_first": ratios[protocol][label]}
        | asdict(Speed.of(seconds[f"{protocol}/{label}"], batch))
        for label, protocol in works
    ]


def summarise(measured: list[Document], first_mode: str) -> dict[str, float]:
    """Flat numbers, see `stages.speed.stages.MeasureSpeed`."""
    summary = {}
    for item in measured:
        mode = "" if item["mode"] == first_mode else f"{item['mode']}/"
        for name in ("images_per_second", "p50_ms", "p90_ms"):
            summary[f"speed/{mode}{item['protocol']}/batch{item['batch']}/{name}"] = item[name]
    for batch in {item["batch"] for item in measured}:
        middle = {name: summary[f"speed/{name}/batch{batch}/p50_ms"] for name in ("forward", "detection")}
        summary[f"speed/suppression/batch{batch}/ms_per_image"] = (middle["detection"] - middle["forward"]) / batch
        if backbone := summary.get(f"speed/backbone/batch{batch}/p50_ms"):
            summary[f"speed/backbone/batch{batch}/share"] = backbone / middle["forward"]
    return summary
