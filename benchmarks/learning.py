"""Does our SSD learn as well as torchvision's? One network trained by both on real images, one evaluator.

    python benchmarks/learning.py --data DIR                            two data sets, three seeds, both sides
    python benchmarks/learning.py --data DIR --mix loss=torchvision     one part exchanged, the others ours
    python benchmarks/learning.py --data DIR --full --init vgg16.pth --device cuda    SSD300 on all of VOC2007
    python benchmarks/learning.py gradients --data DIR                  one step of SSD300: losses and gradients

DIR holds bccd/BCCD and voc2007/VOC2007. A cell is one training: data set, loss (with its matching and mining),
augmentation, seed. Its JSON in --work is written at its end, so that the same command goes on where it was stopped.
Equal for all sides: first weights, default boxes, images and their order, batch size, optimiser, rates, iterations.
Every training is scored with both ways of detection; ours and torchvision's sides are those with all three their own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any, Literal, get_args

import cv2
import torch
import torchvision
from learning_data import OurBatches, TorchvisionBatches, batches, packed, truth, with_objects
from learning_sides import our_detections, our_loss, torchvision_detections, torchvision_loss, torchvision_ssd
from learning_table import table
from torch import Tensor

from ssd_core.augment.spec import STARRED
from ssd_core.initial import first_detector
from ssd_core.model import Detector
from ssd_core.optimiser import build_optimiser, set_learning_rate
from ssd_core.schedule import Schedule
from ssd_core.settings import TrainingSettings
from ssd_core.shards import ShardSet
from ssd_core.spec import VOC_CLASSES, ssd300
from ssd_core.stream import Batch
from ssd_core.tiny_spec import ssd_tiny
from ssd_core.voc_ap import ScoredBoxes, evaluate, mean_result
from ssd_core.weights import Weights
from stages.initial_weights import read_initial_weights
from stages.shard import Shard
from stages.voc import VocFolder

Whose = Literal["ours", "torchvision"]
LOSS_WINDOWS = 20
"""Points of the curve of losses in a cell's JSON."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A data set with the detector and the budget that fit it."""

    name: str
    folder: str
    train: str
    test: str
    classes: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    settings: TrainingSettings

    def shards(self, data: Path, work: Path) -> tuple[ShardSet, ShardSet]:
        """Training images that hold an object, and all test images."""
        stages = [
            Shard(
                sources=(VocFolder(name=self.name, root=str(data / self.folder), split=split),),
                classes=self.classes,
                ignore_classes=self.ignored,
                variant=split,
            )
            for split in (self.train, self.test)
        ]
        train, test = packed(stages, work / "store")
        return with_objects(train, work / f"{self.name}-{self.train}"), test


def _narrow(classes: tuple[str, ...], input_size: int, iterations: int) -> TrainingSettings:
    schedule = Schedule(iterations=iterations, base_lr=7e-4, drops=(round(0.8 * iterations),), warmup=100)
    spec = ssd_tiny(classes, input_size)
    return TrainingSettings(spec=spec, augmentation=STARRED, schedule=schedule, batch_size=8, optimiser="adamw")


CELLS = ("Platelets", "RBC", "WBC")
FREQUENT = ("aeroplane", "bus", "car", "cat", "motorbike", "person", "train")
TRIALS = {
    trial.name: trial
    for trial in (
        Trial(
            name="bccd",
            folder="bccd/BCCD",
            train="trainval",
            test="test",
            classes=CELLS,
            settings=_narrow(CELLS, 200, 1200),
        ),
        Trial(
            name="voc2007",
            folder="voc2007/VOC2007",
            train="trainval",
            test="test",
            classes=FREQUENT,
            ignored=tuple(name for name in VOC_CLASSES if name not in FREQUENT),
            settings=_narrow(FREQUENT, 160, 2000),
        ),
    )
}
FULL = Trial(
    name="voc2007-full",
    folder="voc2007/VOC2007",
    train="trainval",
    test="test",
    classes=VOC_CLASSES,
    settings=TrainingSettings(
        spec=ssd300(),
        augmentation=STARRED,
        schedule=Schedule(iterations=12_000, drops=(8_000, 10_000), warmup=500),
    ),
)
"""77 epochs of 5,008 images; the warm-up keeps both sides from diverging in their first steps."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One training."""

    trial: str
    loss: Whose
    augment: Whose
    seed: int

    @property
    def name(self) -> str:
        return f"{self.trial},loss={self.loss},augment={self.augment},seed={self.seed}"


def main() -> None:
    options = parsed()
    if options.mode == "gradients":
        from learning_gradients import compare_gradients

        compare_gradients(options)
    elif options.cell:
        measure(chosen(options)[options.cell], options)
    else:
        compare(options)


def compare(options: argparse.Namespace) -> None:
    """All cells that have no JSON yet, `jobs` at a time, then the table."""
    cells = chosen(options)
    for trial in {cell.trial: None for cell in cells.values()}:
        trial_of(trial, options).shards(options.data, options.work)  # once, before several processes ask for it
    todo = [name for name in cells if not cell_file(name, options).exists()]
    print(f"{len(cells)} cells, {len(cells) - len(todo)} of them done, {options.jobs} at a time", flush=True)
    with ThreadPoolExecutor(options.jobs) as pool:
        codes = list(pool.map(_in_own_process, todo))
    if any(codes):
        sys.exit(f"failed: {', '.join(name for name, code in zip(todo, codes, strict=True) if code)}")
    results = [json.loads(cell_file(name, options).read_text()) for name in cells]
    stem = options.results / f"{datetime.now(UTC):%Y-%m-%d}-learning{'-full' if options.full else ''}"
    stem.with_suffix(".json").write_text(json.dumps(results, indent=1) + "\n")
    stem.with_suffix(".md").write_text(table(results))
    print(table(results))


def _in_own_process(name: str) -> int:
    return subprocess.run(
        [sys.executable, *sys.argv, "--cell", name], env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False
    ).returncode


def measure(cell: Cell, options: argparse.Namespace) -> None:
    """Train and score one cell; writes its JSON."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    trial, device = trial_of(cell.trial, options), torch.device(options.device)
    train_shards, test_shards = trial.shards(options.data, options.work)
    settings = replace(trial.settings, seed=cell.seed)
    detector = first_detector(settings.spec, cell.seed, initial_weights(options)).to(device)
    settings = replace(settings, spec=detector.spec)  # its preprocessing is that of the first weights
    stream = {"ours": OurBatches, "torchvision": TorchvisionBatches}[cell.augment](train_shards, settings)
    began = time.perf_counter()
    losses = train(
        detector, cell.loss, batches(stream, settings.schedule.iterations, options.processes), settings, cell.name
    )
    seconds = time.perf_counter() - began
    result = {
        "trial": cell.trial,
        "loss": cell.loss,
        "augment": cell.augment,
        "seed": cell.seed,
        "input_size": settings.spec.input_size,
        "classes": list(settings.spec.classes),
        "train_images": len(train_shards),
        "test_images": len(test_shards),
        "batch_size": settings.batch_size,
        "iterations": settings.schedule.iterations,
        "training_seconds": round(seconds, 1),
        "losses": losses,
        "detection": {whose: scores(found, test_shards) for whose, found in detections(detector, test_shards)},
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu, 1 thread",
    }
    file = cell_file(cell.name, options)
    file.with_suffix(".tmp").write_text(json.dumps(result, indent=1))
    file.with_suffix(".tmp").rename(file)


def train(
    detector: Detector, whose_loss: Whose, stream: Iterator[Batch], settings: TrainingSettings, name: str = ""
) -> list[float]:
    """Train in place; mean losses over equal parts of the training."""
    detector.to(memory_format=torch.channels_last).train()
    loss_of = loss_function(detector, whose_loss)
    optimiser = build_optimiser(
        detector, settings.optimiser, momentum=settings.momentum, weight_decay=settings.weight_decay
    )
    every = max(1, settings.schedule.iterations // LOSS_WINDOWS)
    means, window = [], list[float]()
    for step, batch in enumerate(stream):
        set_learning_rate(optimiser, settings.schedule.learning_rate(step))
        loss = loss_of(batch.to(detector.default_boxes.device))
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()
        window.append(float(loss.detach()))
        if len(window) == every:
            means.append(round(sum(window) / every, 4))
            print(f"{datetime.now(UTC):%H:%M:%S} {name}: step {step + 1}, loss {means[-1]:.3f}", flush=True)
            window.clear()
    return means


def loss_function(detector: Detector, whose: Whose) -> Callable[[Batch], Tensor]:
    """The loss of a batch, with gradients for the parameters of `detector`."""
    if whose == "ours":
        return lambda batch: our_loss(detector, batch)
    ssd = torchvision_ssd(detector).train()
    return lambda batch: torchvision_loss(ssd, batch)


def detections(detector: Detector, shards: ShardSet) -> Iterator[tuple[Whose, ScoredBoxes]]:
    """Both ways from images to detections, with the same network."""
    detector.eval()
    yield "ours", our_detections(detector, shards)
    yield "torchvision", torchvision_detections(torchvision_ssd(detector), shards)


def scores(found: ScoredBoxes, shards: ShardSet) -> dict[str, Any]:
    """Average precision by both rules of VOC, as fractions."""
    results = evaluate(found, truth(shards), class_count=len(shards.classes))
    mean = mean_result(results)
    by_class = {name: round(result.ap_11point, 5) for name, result in zip(shards.classes, results, strict=True)}
    return {"map_11point": mean.ap_11point, "map_area": mean.ap_area, "ap_11point": by_class}


def chosen(options: argparse.Namespace) -> dict[str, Cell]:
    """The cells that the options ask for, by name; seed by seed, so that a stopped run has whole pairs."""
    sides: list[tuple[Whose, Whose]] = [("ours", "ours"), ("torchvision", "torchvision"), *options.mix]
    trials = [FULL.name] if options.full else options.trials
    cells = [
        Cell(trial=trial, loss=loss, augment=augment, seed=seed)
        for seed, trial, (loss, augment) in product(options.seeds, trials, dict.fromkeys(sides))
    ]
    return {cell.name: cell for cell in cells}


def trial_of(name: str, options: argparse.Namespace) -> Trial:
    trial = FULL if name == FULL.name else TRIALS[name]
    if not options.iterations:
        return trial
    factor = options.iterations / trial.settings.schedule.iterations
    return replace(trial, settings=replace(trial.settings, schedule=trial.settings.schedule.scaled(factor)))


def initial_weights(options: argparse.Namespace) -> Weights | None:
    if not options.init:
        return None
    with options.init.open("rb") as stream:
        return read_initial_weights(stream)


def cell_file(name: str, options: argparse.Namespace) -> Path:
    suffix = f",iterations={options.iterations}" if options.iterations else ""
    return Path(options.work) / f"{name}{suffix}.json"


def mixed(text: str) -> tuple[Whose, Whose]:
    """`loss=torchvision,augment=ours`; what is not named is ours."""
    parts = dict.fromkeys(("loss", "augment"), "ours") | dict(part.split("=", 1) for part in text.split(","))
    if set(parts) != {"loss", "augment"} or not set(parts.values()) <= set(get_args(Whose)):
        raise ValueError(text)
    return parts["loss"], parts["augment"]  # type: ignore[return-value]


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", nargs="?", choices=("trainings", "gradients"), default="trainings")
    data = os.environ.get("SSDPIPE_TEST_DATA")
    parser.add_argument("--data", type=Path, default=data, required=data is None, help="default: SSDPIPE_TEST_DATA")
    parser.add_argument("--work", type=Path, default=Path("learning-work"), help="shards and a JSON for each cell")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results", help="for the table")
    parser.add_argument("--trials", nargs="+", choices=TRIALS, default=list(TRIALS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--mix", type=mixed, nargs="+", default=[], metavar="loss=torchvision,augment=ours")
    parser.add_argument("--iterations", type=int, default=0, help="another budget, for a first try")
    parser.add_argument("--jobs", type=int, default=1, help="cells at a time, one thread each")
    parser.add_argument("--cell", help="this one only, in this process")
    parser.add_argument("--full", action="store_true", help="SSD300 on all of VOC2007; needs --init and a GPU")
    parser.add_argument("--init", type=Path, help="first weights: a VGG16 or a detector")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--processes", type=int, default=0, help="that decode and augment ahead")
    parser.add_argument("--images", type=int, default=64, help="of the mode gradients")
    parser.add_argument("--double", action="store_true", help="float64 in the mode gradients")
    options = parser.parse_args()
    if options.full and not options.init:
        parser.error("--full starts from a VGG16: name its file with --init")
    options.work.mkdir(parents=True, exist_ok=True)
    return options


if __name__ == "__main__":
    main()
