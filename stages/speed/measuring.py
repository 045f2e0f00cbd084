"""Measure speed in rounds and write the times as documents.

Tested in tests/stages/speed/test_stages.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pipeline.errors import PipelineError
from pipeline.stage import Context
from pipeline.store.record import SUMMARY
from ssd_core.detection.speed import (
    Runner,
    Seconds,
    Speed,
    arithmetic,
    candidates_per_image,
    relative_to_first,
    stream_seconds,
    unsupported_reason,
)
from ssd_core.detection.speed_modes import SpeedMode
from stages.speed.bench import RESIDENT, Bench, Setting, bench_of
from stages.speed.network import SPEED, Network

Document = dict[str, Any]


def measure(
    setting: Setting, network: Network, ctx: Context, *, modes: Sequence[SpeedMode], loader_processes: int
) -> None:
    """Measure one detector and write its speed."""
    rounds = 2 * len(modes) * len(setting.batches) * setting.effort.batches
    measured: list[Document] = []
    missing: list[Document] = []
    with bench_of(setting, ctx, rounds) as (bench, conditions):
        for mode in modes:
            runner = Runner(bench.detector(network, ctx), mode, bench.device, setting.limits)
            reason = unsupported_reason(mode, bench.device) or _compiling_fails(bench, runner, mode)
            if reason and mode == modes[0]:
                raise PipelineError(f"mode {mode.name} cannot be measured here: {reason}")
            if reason:
                missing.append({"mode": mode.name, "reason": reason})
            else:
                measured += _of_mode(bench, runner, mode, loader_processes)
    ctx.out.write_json(SPEED, conditions | {"measured": measured, "not_measured": missing})
    ctx.out.write_json(SUMMARY, summarise(measured, modes[0].name))


def _compiling_fails(bench: Bench, runner: Runner, mode: SpeedMode) -> str:
    """Reason why a compiled mode does not run here, e.g. no C++ compiler; empty if it runs."""
    if not mode.compiled:
        return ""
    try:
        with arithmetic(mode, bench.device):
            runner.forward(runner.placed(bench.images(runner.detector, 1)))
    except RuntimeError as error:  # torch's compilation errors are subclasses
        return f"torch.compile fails: {str(error).strip().partition(chr(10))[0]}"
    return ""


def _of_mode(bench: Bench, runner: Runner, mode: SpeedMode, loader_processes: int) -> list[Document]:
    documents = []
    with arithmetic(mode, bench.device):
        logits = runner.forward(runner.placed(bench.images(runner.detector, RESIDENT)))[1]
        candidates = candidates_per_image(logits, bench.setting.limits.min_score)
        for batch in bench.setting.batches:
            seconds = bench.in_turns(bench.works(runner, batch, backbone=not mode.compiled))
            seconds["end_to_end"] = _end_to_end(bench, runner, batch, loader_processes)
            for protocol, values in seconds.items():
                what = {"mode": mode.name, "protocol": protocol, "batch": batch, "candidates_per_image": candidates}
                documents.append(what | asdict(Speed.of(values, batch)))
    return documents


def _end_to_end(bench: Bench, runner: Runner, batch: int, loader_processes: int) -> Seconds:
    effort = bench.setting.effort
    batches = bench.stream(runner.detector, batch, batches=effort.batches, loader_processes=loader_processes)
    return stream_seconds(
        lambda item: runner.detect(runner.placed(item.images)),
        batches,
        warmup=effort.warmup,
        timed=effort.timed,
        after_batch=bench.tick,
    )


def compare(setting: Setting, networks: Sequence[Network], ctx: Context, *, mode: SpeedMode) -> None:
    """Measure several detectors in turns and write their speeds."""
    rounds = len(setting.batches) * setting.effort.batches
    measured: list[Document] = []
    with bench_of(setting, ctx, rounds) as (bench, conditions):
        if reason := unsupported_reason(mode, bench.device):
            raise PipelineError(f"mode {mode.name} cannot be measured here: {reason}")
        runners = {
            network.label: Runner(bench.detector(network, ctx), mode, bench.device, setting.limits)
            for network in networks
        }
        with arithmetic(mode, bench.device):
            for batch in setting.batches:
                measured += _side_by_side(bench, runners, batch)
    ctx.out.write_json(SPEED, conditions | {"mode": mode.name, "measured": measured})
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
        protocol: relative_to_first({label: seconds[f"{protocol}/{label}"] for label in runners})
        for protocol in ("forward", "detection")
    }
    return [
        {"network": label, "protocol": protocol, "batch": batch, "of_first": ratios[protocol][label]}
        | asdict(Speed.of(seconds[f"{protocol}/{label}"], batch))
        for label, protocol in works
    ]


def summarise(measured: list[Document], first_mode: str) -> dict[str, float]:
    """Flat summary, see `stages.speed.stages.MeasureSpeed`."""
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
