"""Trainings on data sets at the edge of what is possible: each trains and scores to the end with finite numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from experiments.cli.main import app
from experiments.cli.requests import TrainRequest
from pipeline.driver.in_process import run_in_process
from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.store.record import read_curve, read_summary
from pipeline.store.store import Store
from ssd_core.weights.weights import load_weights
from stages.graphs import Evaluation

Box = tuple[float, float, float, float, str]
ONE_CAT: tuple[Box, ...] = ((10, 10, 60, 70, "cat"),)


@dataclass(frozen=True, kw_only=True)
class Image:
    width: int = 100
    height: int = 80
    boxes: tuple[Box, ...] = ONE_CAT


def write(root: Path, **splits: Iterable[Image]) -> Path:
    """Write a data set in CSV layout, with images of noise."""
    (root / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for split, images in splits.items():
        lines = ["image,xmin,ymin,xmax,ymax,class"]
        for number, image in enumerate(images):
            name = f"{split}-{number}.png"
            cv2.imwrite(str(root / "images" / name), rng.integers(0, 256, (image.height, image.width, 3), np.uint8))
            lines += [f"{name},{','.join(map(str, box))}" for box in image.boxes] or [f"{name},,,,,"]
        (root / f"{split}.csv").write_text("\n".join(lines))
    return root


def classes(first: int, last: int) -> tuple[Box, ...]:
    """A box of 10 by 10 pixels of each of these classes, in a row."""
    return tuple((at % 90, 5, at % 90 + 10, 15, f"class{at:03}") for at in range(first, last))


EDGES: dict[str, tuple[tuple[Image, ...], tuple[Image, ...]]] = {
    "one class": ((Image(), Image()), (Image(),)),
    "1,000 classes": (
        tuple(Image(boxes=classes(first, first + 100)) for first in range(0, 1000, 100)),
        (Image(boxes=classes(0, 30)),),
    ),
    "one image, and a batch above the size of the data set": ((Image(),), (Image(),)),
    "batches without any object": ((Image(), *[Image(boxes=())] * 9), (Image(), Image(boxes=()))),
    "images of one pixel": ((Image(width=1, height=1, boxes=((0, 0, 1, 1, "cat"),)),) * 2,) * 2,
    "images of 10000x3 pixels": ((Image(width=10_000, height=3, boxes=((500, 0, 4000, 3, "cat"),)),) * 2,) * 2,
    "images of 3x10000 pixels": ((Image(width=3, height=10_000, boxes=((0, 500, 3, 4000, "cat"),)),) * 2,) * 2,
    "boxes of one pixel": ((Image(boxes=((7, 7, 8, 8, "cat"), (50, 3, 51, 4, "cat"))),) * 2,) * 2,
    "a box far smaller than a pixel": ((Image(boxes=((7, 7, 7.001, 7.001, "cat"), *ONE_CAT)),) * 2,) * 2,
    "many boxes on one place": ((Image(boxes=ONE_CAT * 50),) * 2,) * 2,
}
"""Training and test images by what is unusual about them. The narrow recipe also crops and expands the images."""


@pytest.mark.parametrize(
    ("edge", "recipe"),
    [(edge, "ssd-tiny") for edge in EDGES] + [(edge, "ssd200-narrow") for edge in EDGES if "pixel" in edge],
)
def test_a_training_at_the_edge_trains_and_scores_to_the_end_with_finite_numbers(
    tmp_path: Path, edge: str, recipe: str
) -> None:
    train, test = EDGES[edge]
    root = write(tmp_path / "edge", train=train, test=test)
    batch = 1 if edge.startswith("batches without") else 2
    settings = ["schedule.iterations=2", f"batch_size={batch}"]
    request = TrainRequest(recipe=recipe, data=str(root), gpus=0, settings=settings)
    evaluation = request.target(replace(request.placement(), workers=0))  # in this process
    numbers = read_summary(run_in_process(evaluation, str(tmp_path / "store")))
    assert 0 <= numbers["voc07/mAP"] <= 1
    assert [name for name, value in numbers.items() if not math.isfinite(value)] == []
    training = trained(evaluation, str(tmp_path / "store"))
    losses = [value for point in read_curve(training) for name, value in point.values.items() if "loss" in name]
    assert losses
    assert all(map(math.isfinite, losses))
    with training.open_input("weights.pt") as stream:
        assert all(value.isfinite().all() for value in load_weights(stream).state.values())


def trained(evaluation: Evaluation, place: str) -> Folder:
    """Result of the training of an evaluation."""
    assert evaluation.training is not None
    address, store = evaluation.training.address, Store.open(place)
    (manifest,) = (item for item in store.manifests() if item.address == address)
    return store.output(manifest)


@pytest.mark.parametrize("empty", ["train", "test", "train and test"])
def test_a_split_without_objects_ends_with_a_message_before_anything_starts(tmp_path: Path, empty: str) -> None:
    without, some = (Image(boxes=()),) * 3, (Image(),) * 3
    splits = {split: without if split in empty else some for split in ("train", "test")}
    root = write(tmp_path / "edge", **splits)
    command = ["train", "ssd-tiny", "--data", str(root), "--gpus", "0", "--store", str(tmp_path / "store")]
    done = CliRunner().invoke(app, [*command, "--train-split", "train", "--test-split", "test"])
    assert isinstance(done.exception, PipelineError)
    assert "object" in str(done.exception)
    assert not (tmp_path / "store").exists()
