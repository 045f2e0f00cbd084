"""Train a detector with torch alone, to measure what a machine can do: no Ray, no MLflow, no pipeline.

    python benchmarks/train_plain.py SHARDS --spec ssd300 --iterations 500 --device cuda --precision bf16

SHARDS is the result of a shard stage (`ssdpipe show shard/train` prints its path). Trains from scratch, at a constant
rate after a warm-up. Prints the loss, images per second and the share of time spent waiting for data since the previous
line; the first line includes the start of the loader and of the kernels.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

import torch

from ssd_core.data.shards import ShardSet
from ssd_core.data.training_stream import training_batches
from ssd_core.network.precision import has_bf16
from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.paper import ssd300, ssd300_full_vgg, ssd512
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.training.checkpoint import CheckpointFolder
from ssd_core.training.trainer import Pace, Trainer
from ssd_core.training.world import World
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.weights import Weights, save_weights

SPECS: dict[str, Callable[[tuple[str, ...]], DetectorSpec]] = {
    "ssd300": ssd300,
    "ssd512": ssd512,
    "ssd300-full-vgg": ssd300_full_vgg,
    "ssd_tiny": ssd_tiny,
}


class Printer:
    """Prints the points of a training."""

    def point(self, step: int, values: Mapping[str, float]) -> None:
        speed, waiting = values["throughput/images_per_second"], values["throughput/data_wait_share"]
        print(f"step {step:6}: loss {values['loss']:7.3f}, {speed:7.1f} images/s, {waiting:5.1%} waiting for data")

    def progress(self, step: int, total: int, note: str) -> None:
        """Print nothing: `point` shows the step."""


def main() -> None:
    options = parsed()
    shards = ShardSet(options.shards)
    device = torch.device(options.device)
    recipe = recipe_of(options, shards.classes)
    print(f"{options.spec}, {recipe.spec.box_count} boxes, batch {recipe.batch_size}, {recipe.precision}")
    print(f"{len(shards)} images of {len(shards.classes)} classes; torch {torch.__version__} on {name_of(device)}")
    with ExitStack() as stack:
        checkpoints = options.checkpoints or stack.enter_context(tempfile.TemporaryDirectory())
        trainer = Trainer(
            recipe,
            initial_detector(recipe.spec, recipe.seed),
            world=World(device=device),
            checkpoints=CheckpointFolder(path=str(checkpoints)),
            listener=Printer(),
            pace=Pace(log_steps=options.log_steps),
        )
        batches = training_batches(
            shards,
            recipe,
            start=trainer.step,
            stop=options.iterations,
            loader_processes=options.processes,
            pin_memory=device.type == "cuda",
        )
        detector = trainer.run(batches)
    if device.type == "cuda":
        print(f"largest use of GPU memory: {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB")
    with options.weights.open("wb") as stream:
        state = {name: tensor.cpu() for name, tensor in detector.state_dict().items()}
        save_weights(Weights(spec=detector.spec, state=state), stream)
    print(f"weights: {options.weights}")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shards")
    parser.add_argument("--spec", choices=SPECS, default="ssd300")
    parser.add_argument("--iterations", type=int, default=200)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument(
        "--processes", type=int, default=0, help="loader processes that decode and augment ahead; 0: none"
    )
    parser.add_argument("--log-steps", type=int, default=20)
    parser.add_argument("--checkpoints", type=Path, help="folder to save to and resume from; without it, none are kept")
    parser.add_argument("--weights", type=Path, default=Path("weights.pt"), help="file to write")
    options = parser.parse_args()
    if options.precision == "bf16" and not has_bf16(torch.device(options.device)):
        parser.error(f"this {options.device} device has no bf16: use --precision fp32")
    return options


def recipe_of(options: argparse.Namespace, classes: tuple[str, ...]) -> Recipe:
    warmup = min(100, options.iterations)
    return Recipe(
        spec=SPECS[options.spec](classes),
        schedule=Schedule(iterations=options.iterations, base_lr=options.learning_rate, drops=(), warmup=warmup),
        batch_size=options.batch_size,
        precision=options.precision,
    )


def name_of(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} with {torch.get_num_threads()} threads"


if __name__ == "__main__":
    main()
