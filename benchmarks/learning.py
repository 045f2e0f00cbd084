"""Does our SSD learn as well as torchvision's? One network, trained by both on real images, and one evaluator.

    python benchmarks/learning.py --data DIR                            two data sets, three seeds, both sides
    python benchmarks/learning.py --data DIR --mix loss=torchvision     one part exchanged, the others ours
    python benchmarks/learning.py --data DIR --full --init vgg16.pth --device cuda    SSD300 on all of VOC2007
    python benchmarks/learning.py gradients --data DIR                  one step of SSD300: losses and gradients

DIR holds bccd/BCCD and voc2007/VOC2007. A cell is one training: data set, loss (with its matching and mining),
augmentation, seed. Its JSON in --work is written at its end, so that the same command resumes where it was stopped.
Equal for all sides: initial weights, default boxes, images and their order, batch size, optimiser, rates, iterations.
Every training is scored with both sides' detection code; a side is "ours" or "torchvision" if all three parts are.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import get_args

import cv2
import torch
from learning_sides import Whose
from learning_table import table
from learning_training import Place, measure
from learning_trials import FULL, TRIALS, Cell, trial_of

from ssd_core.weights.any_weights import read_weights
from ssd_core.weights.weights import Weights


def main() -> None:
    options = parsed()
    if options.mode == "gradients":
        from learning_gradients import compare_gradients

        compare_gradients(options)
    elif options.cell:
        run_cell(chosen(options)[options.cell], options)
    else:
        compare(options)


def compare(options: argparse.Namespace) -> None:
    """Run all cells that have no JSON yet, `jobs` at a time, then write the table."""
    cells = chosen(options)
    for trial in dict.fromkeys(cell.trial for cell in cells.values()):
        # made once here, before several processes need them
        trial_of(trial, options.iterations).shards(options.data, options.work)
    todo = [name for name in cells if not cell_file(name, options).exists()]
    print(f"{len(cells)} cells, {len(cells) - len(todo)} of them done, {options.jobs} at a time", flush=True)
    with ThreadPoolExecutor(options.jobs) as pool:
        codes = list(pool.map(_in_own_process, todo))
    if any(codes):
        sys.exit(f"failed: {', '.join(name for name, code in zip(todo, codes, strict=True) if code)}")
    results = [json.loads(cell_file(name, options).read_text(encoding="utf-8")) for name in cells]
    stem = options.results / f"{datetime.now(UTC):%Y-%m-%d}-learning{'-full' if options.full else ''}"
    stem.with_suffix(".json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    stem.with_suffix(".md").write_text(table(results), encoding="utf-8")
    print(table(results))


def _in_own_process(name: str) -> int:
    return subprocess.run(
        [sys.executable, *sys.argv, "--cell", name], env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False
    ).returncode


def run_cell(cell: Cell, options: argparse.Namespace) -> None:
    """Run one cell in this process, in one thread, and write its JSON."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    place = Place(
        data=options.data,
        work=options.work,
        initial=initial_weights(options.init),
        device=torch.device(options.device),
        processes=options.processes,
    )
    file = cell_file(cell.name, options)
    result = measure(cell, trial_of(cell.trial, options.iterations), place)
    file.with_suffix(".tmp").write_text(json.dumps(result, indent=1), encoding="utf-8")
    file.with_suffix(".tmp").rename(file)


def chosen(options: argparse.Namespace) -> dict[str, Cell]:
    """Return the cells that the options select, by name; seed by seed, so that a stopped run has complete pairs."""
    sides: list[tuple[Whose, Whose]] = [("ours", "ours"), ("torchvision", "torchvision"), *options.mix]
    trials = [FULL.name] if options.full else options.trials
    cells = [
        Cell(trial=trial, loss=loss, augment=augment, seed=seed)
        for seed, trial, (loss, augment) in product(options.seeds, trials, dict.fromkeys(sides))
    ]
    return {cell.name: cell for cell in cells}


def initial_weights(file: Path | None) -> Weights | None:
    if file is None:
        return None
    with file.open("rb") as stream:
        return read_weights(stream)


def cell_file(name: str, options: argparse.Namespace) -> Path:
    suffix = f",iterations={options.iterations}" if options.iterations else ""
    return Path(options.work) / f"{name}{suffix}.json"


def mixed(text: str) -> tuple[Whose, Whose]:
    """Parse `loss=torchvision,augment=ours`; parts not named are ours."""
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
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results", help="folder for the table")
    parser.add_argument("--trials", nargs="+", choices=TRIALS, default=list(TRIALS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--mix", type=mixed, nargs="+", default=[], metavar="loss=torchvision,augment=ours")
    parser.add_argument("--iterations", type=int, default=0, help="another budget, for a trial run")
    parser.add_argument("--jobs", type=int, default=1, help="cells at a time, one thread each")
    parser.add_argument("--cell", help="run only this cell, in this process")
    parser.add_argument("--full", action="store_true", help="SSD300 on all of VOC2007; needs --init and a GPU")
    parser.add_argument("--init", type=Path, help="initial weights: a VGG16 or a detector")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--processes", type=int, default=0, help="loader processes that decode and augment ahead")
    parser.add_argument("--images", type=int, default=64, help="number of images in the mode gradients")
    parser.add_argument("--double", action="store_true", help="use float64 in the mode gradients")
    options = parser.parse_args()
    if options.full and not options.init:
        parser.error("--full starts from a VGG16: pass its file with --init")
    for folder in (options.work, options.results):
        folder.mkdir(parents=True, exist_ok=True)
    return options


if __name__ == "__main__":
    main()
