"""The cost of a plan as text and as JSON.

Tested in tests/experiments/cli/test_plan.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from experiments.cli.shared.printing import columns, duration, operations, size

if TYPE_CHECKING:
    from pipeline.planning.plan import PlanRow
    from stages.cost.cost import Cost, StageCost
    from stages.cost.past import Device
    from stages.cost.prices import Origin

DEVICES: tuple[Device, ...] = ("gpu", "cpu")


def cost_lines(cost: Cost, tflops: float | None) -> str:
    """The cost as a few lines; empty when nothing will run."""
    if not cost.stages:
        return ""
    lines = [
        ("to train", _trainings([stage for stage in cost.stages if stage.kind == "train"])),
        ("work", _work(cost)),
        *(("rate", line) for line in _rates(cost.stages, tflops)),
        ("wall time", _wall_time(cost)),
        ("starts", _starts(cost)),
        ("disk", _disk(cost)),
        ("excluded", _excluded(cost.stages)),
    ]
    return columns([line for line in lines if line[1]])


def plan_json(rows: Sequence[PlanRow], cost: Cost) -> dict[str, Any]:
    """{"stages": [...], "cost": {...}}; seconds, bytes and operations are plain numbers."""
    by_address = {stage.address: stage for stage in cost.stages}
    stages = []
    for row in rows:
        planned = {"address": row.address, "state": row.state, "reason": row.reason, "key": row.key}
        known = by_address.get(row.address)
        stages.append({**planned, "seconds_before": row.seconds, "cost": asdict(known) if known else None})
    trainings = [stage for stage in cost.stages if stage.kind == "train"]
    totals = {
        "trainings": len(trainings),
        "training_images": sum(stage.images for stage in trainings),
        "training_flops": sum(stage.flops for stage in trainings),
        "flops": sum(stage.flops for stage in cost.stages),
        "gpu_hours": cost.device_hours("gpu"),
        "cpu_hours": cost.device_hours("cpu"),
        "wall_seconds": dict(cost.wall_seconds),
        "result_bytes": cost.result_bytes,
        "peak_bytes": cost.peak_bytes,
        "in_process": asdict(cost.starts),
    }
    return {"stages": stages, "cost": totals}


def about(stage: StageCost) -> str:
    """Estimated time such as `~1:10`; empty when unknown."""
    return "" if stage.origin == "unknown" else f"~{duration(stage.seconds)}"


def _trainings(trainings: Sequence[StageCost]) -> str:
    images, flops = sum(stage.images for stage in trainings), sum(stage.flops for stage in trainings)
    plural = "" if len(trainings) == 1 else "s"
    return f"{len(trainings)} training{plural}, {images:,.0f} images, {operations(flops)}" if trainings else ""


def _work(cost: Cost) -> str:
    spent = [(cost.device_hours(device), f"{device.upper()}-hours") for device in DEVICES]
    return ", ".join(
        f"{hours:,.0f} {unit}" if hours >= 100 else f"{hours:.2g} {unit}" for hours, unit in spent if hours
    )


def _rates(stages: Sequence[StageCost], tflops: float | None) -> list[str]:
    """Sources of the time estimates of trainings and detections, most frequent first."""
    networks = [stage for stage in stages if stage.flops]
    counts = Counter((stage.origin, stage.device, stage.device_name) for stage in networks)
    return [
        f"{count} of {len(networks)} trainings and detections by {_origin(origin, device, tflops)}"
        + (f" on {name}" if name else "")
        for (origin, device, name), count in counts.most_common()
    ]


def _origin(origin: Origin, device: Device, tflops: float | None) -> str:
    from stages.cost.prices import ASSUMED_TFLOPS

    if origin == "same":
        return "past runs of the same shape"
    if origin == "other":
        return "the speed of past runs of other shapes"
    if origin == "given":
        return f"the given rate of {tflops:g} TFLOP/s"
    rate = ASSUMED_TFLOPS[device, "fp32"]
    return f"an assumed rate, {rate:g} TFLOP/s of one {device.upper()} in fp32; --tflops sets another"


def _wall_time(cost: Cost) -> str:
    """Estimated wall time such as `10:02:39 on 8 GPUs (2.5 days on 1, 5:06:27 on 12)`."""
    unit = "GPU" if any(stage.device == "gpu" for stage in cost.stages) else "CPU"
    (number, seconds), *others = cost.wall_seconds.items()
    beside = ", ".join(f"{duration(each)} on {count}" for count, each in others)
    return f"{duration(seconds)} on {number} {unit}{'' if number == 1 else 's'}" + (f" ({beside})" if beside else "")


def _starts(cost: Cost) -> str:
    """What `--in-process` would save; empty when that is nothing."""
    count, seconds = cost.starts.trainings, cost.starts.seconds
    if not count or seconds < 1:
        return ""
    each = "each" if count > 1 else "the"
    return f"--in-process would save about {seconds:.0f} s of {each} training, with equal results"


def _disk(cost: Cost) -> str:
    sizes = f"{size(int(cost.result_bytes))} of results, up to {size(int(cost.peak_bytes))} with checkpoints"
    uncounted = sum(stage.kind == "shard" and not stage.images for stage in cost.stages)
    return sizes + (f"; excludes {uncounted} shard stages whose images cannot be counted yet" if uncounted else "")


def _excluded(stages: Sequence[StageCost]) -> str:
    kinds = Counter(stage.kind for stage in stages if stage.origin == "unknown")
    listed = ", ".join(f"{count} {kind}" if count > 1 else kind for kind, count in kinds.items())
    return f"time of stages that never ran in this store: {listed}" if kinds else ""
