"""SSD300 with GroupNorm from scratch on VOC2007: our loss and augmentation against torchvision's, on one GPU.

    PYTHONPATH=.:benchmarks python benchmarks/gpu/learning.py --data .gpu --out OUT --seconds 300 --sides ours

The shards are made by voc300.py. Both sides train at the same time, each in its own process, so that one computes while
the other waits for input. They measure their speeds under this load; the slower one and the budget determine the
iterations of both. One side alone has the GPU and all loader processes for itself. learning.json is rewritten at every
report: curves of loss and of mAP on the test images.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from dataclasses import asdict, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import torch
import torchvision
from gpu.learning_side import Side, run_side
from learning_sides import Whose

from ssd_core.data.shards import ShardSet
from ssd_core.spec.augmentation import PAPER, STARRED, Augmentation
from ssd_core.spec.detector import Preprocessing
from ssd_core.spec.paper import ssd300
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule
from ssd_core.spec.tiny import ssd_tiny

SIDES: tuple[Whose, ...] = ("ours", "torchvision")

RGB = Preprocessing(channel_order="rgb", mean=(123.0, 117.0, 104.0), std=(58.0, 57.0, 57.0))
"""torchvision's SSD takes RGB only."""

SCHEDULE = Schedule(iterations=10_000, base_lr=2e-4, drops=(), warmup=500, curve="cosine")
"""Shape of the schedule; its length follows from the budget.

The rate is for AdamW on 512 to 1,024 channels with GroupNorm: the small detectors learn at 7e-4 on an eighth of the
channels, and one step moves an output by the rate times the inputs of its filter. At 4e-4, 1,365 steps of 32 images
stayed at a loss of 7.8 until the first drop; at 1e-4, 400 steps reached 7.1.
"""

TRAINING_SHARE = 0.9
"""Share of the remaining budget for training steps; the rest is for evaluations and slower phases."""


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Train both sides on the shards in voc300 of `options.data`; return the content of learning.json in `options.out`.

    Uses `device`, `data`, `out`, `small`, `seconds` and, if given, `sides` of the options. A small run trains a tiny
    detector for four iterations, whatever the budget.
    """
    began, chosen = time.monotonic(), tuple(getattr(options, "sides", None) or SIDES)
    train, test = (str(Path(options.data) / "voc300" / name) for name in ("train", "test"))
    device = torch.device(options.device)
    recipe = recipe_of(ShardSet(train).classes, device, small=options.small, expand="torchvision" in chosen)
    cores = len(os.sched_getaffinity(0))
    processes = dict.fromkeys(chosen, 0) if options.small else loader_processes(cores, chosen)
    sides = [
        Side(
            whose=whose,
            recipe=recipe,
            train=train,
            test=test,
            device=device,
            processes=processes[whose],
            seconds=0.0 if options.small else float(options.seconds),
            evaluations=1 if options.small else 6,
            window=2 if options.small else 50,
        )
        for whose in chosen
    ]
    result = _conditions(recipe, len(ShardSet(train)), len(ShardSet(test)), device, processes)
    compare(sides, result, Path(options.out) / "learning.json", began)
    return result


def recipe_of(classes: tuple[str, ...], device: torch.device, *, small: bool, expand: bool = True) -> Recipe:
    """Return the recipe of both sides, at the fastest setting of the device.

    torchvision's augmentation zooms out, hence `expand` beside it; alone, ours does not, since the paper doubles the
    iterations for it.
    """
    if small:
        schedule = Schedule(iterations=4, base_lr=7e-4, drops=())
        return Recipe(spec=ssd_tiny(classes), augmentation=STARRED, schedule=schedule, batch_size=4, optimiser="adamw")
    return Recipe(
        spec=replace(ssd300(classes), norm_groups=32, preprocessing=RGB),
        augmentation=STARRED if expand else PAPER,
        schedule=SCHEDULE,
        batch_size=32,
        optimiser="adamw",
        precision="bf16" if device.type == "cuda" else "fp32",
        compiled=device.type == "cuda",
    )


def loader_processes(cores: int, sides: tuple[Whose, ...] = SIDES) -> dict[Whose, int]:
    """Share out the cores that the trainings leave.

    On these shards torchvision's augmentation makes 91 images/s on a core, ours 512 (AMD EPYC).
    """
    loaders = max(2, cores - 2)
    if len(sides) == 1:
        return {sides[0]: loaders}
    ours = max(1, round(loaders * 91 / (91 + 512)))
    return {"ours": ours, "torchvision": loaders - ours}


def _conditions(
    recipe: Recipe, train: int, test: int, device: torch.device, processes: dict[Whose, int]
) -> dict[str, Any]:
    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "input_size": recipe.spec.input_size,
        "norm_groups": recipe.spec.norm_groups,
        "classes": len(recipe.spec.classes),
        "train_images": train,
        "test_images": test,
        "batch_size": recipe.batch_size,
        "optimiser": recipe.optimiser,
        "precision": recipe.precision,
        "compiled": recipe.compiled,
        "loader_processes": processes,
        "iterations": recipe.schedule.iterations,
        "augmentation": plain(recipe.augmentation),
        "schedule": plain(recipe.schedule),
        "sides": {whose: {"losses": [], "scores": []} for whose in processes},
    }


def plain(settings: Augmentation | Schedule) -> dict[str, Any]:
    """Return settings as JSON has them."""
    content: dict[str, Any] = json.loads(json.dumps(asdict(settings)))
    return content


def compare(sides: list[Side], result: dict[str, Any], file: Path, began: float) -> None:
    """Run the sides; enter what they report into `result` and write it to `file` each time.

    Raises RuntimeError if a side fails; once the iterations are agreed, the other one is run to completion first.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("spawn")  # CUDA does not survive a fork
    links, processes = dict[Connection, Side](), []
    for side in sides:
        link, other = context.Pipe()
        processes.append(context.Process(target=run_side, args=(side, other), name=side.whose))
        processes[-1].start()
        other.close()  # so that the end of the process closes the pipe
        links[link] = side
    try:
        _collect(links, result, file, began)
    finally:
        for process in processes:
            process.join(timeout=5)  # loader processes may take seconds to stop
            process.terminate()
    unfinished = [
        whose
        for whose, entries in result["sides"].items()
        if result["iterations"] not in [point["steps"] for point in entries["scores"]]
    ]
    if unfinished:
        raise RuntimeError(f"the training of {' and '.join(unfinished)} did not finish; see the errors above")


def _collect(links: dict[Connection, Side], result: dict[str, Any], file: Path, began: float) -> None:
    open_links = set(links)
    while open_links:
        for link in wait(list(open_links)):
            assert isinstance(link, Connection)
            try:
                kind, values = link.recv()
            except EOFError:
                open_links.discard(link)
                if links[link].seconds and "epochs" not in result:
                    return  # without its speed, the other side would train on without an end
                continue
            entries = result["sides"][links[link].whose]
            if kind in ("network", "speed"):
                entries |= values
                print(f"{links[link].whose}: {values}", flush=True)
                _agree(links, result, began)
            else:
                entries[kind].append(values)
                _print(links[link].whose, kind, values)
            file.with_suffix(".tmp").write_text(json.dumps(result, indent=1), encoding="utf-8")
            file.with_suffix(".tmp").rename(file)


def _agree(links: dict[Connection, Side], result: dict[str, Any], began: float) -> None:
    """Once both speeds are known, send both sides the schedule that fills the budget."""
    speeds = [entries.get("seconds_per_step") for entries in result["sides"].values()]
    if None in speeds:
        return
    side = next(iter(links.values()))
    left = side.seconds - (time.monotonic() - began)
    iterations = side.measured[1] + int(TRAINING_SHARE * left / max(speeds))
    schedule = resized(side.recipe.schedule, max(iterations, side.least))
    result["iterations"], result["schedule"] = schedule.iterations, plain(schedule)
    result["epochs"] = round(schedule.iterations * side.recipe.batch_size / result["train_images"], 1)
    for link in links:
        link.send(schedule)


def resized(schedule: Schedule, iterations: int) -> Schedule:
    """Return the schedule with its drops at the same shares of another number of iterations, and the same warm-up."""
    drops = tuple(round(drop * iterations / schedule.iterations) for drop in schedule.drops)
    return replace(schedule, iterations=iterations, drops=drops)


def _print(whose: str, kind: str, values: dict[str, Any]) -> None:
    value = f"loss {values['loss']:.3f}" if kind == "losses" else f"mAP {100 * values['map_11point']:.1f} %"
    print(f"{values['seconds']:6.1f} s  {whose:11}  step {values['steps']:5}  {value}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument(
        "--data", type=Path, default=Path(".gpu"), help="folder with voc300, which holds train and test"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=300.0, help="budget of the whole comparison")
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=SIDES)
    parser.add_argument("--small", action="store_true", help="a tiny detector for four iterations")
    measure(parser.parse_args())


if __name__ == "__main__":
    main()
