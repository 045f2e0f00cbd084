"""The comparison of learning on a GPU machine: its small shards, its losses, and a small run of both sides."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from drawn_shards import drawn_shards
from gpu.learning import SCHEDULE, SIDES, compare, loader_processes, measure, resized
from gpu.learning_losses import SmallTorchvisionBatches, our_loss, torchvision_loss
from gpu.learning_side import Side
from gpu.voc300 import pieces, shrink, small_row
from learning_data import OurBatches
from learning_sides import our_loss as whole_our_loss
from learning_sides import torchvision_loss as whole_torchvision_loss
from learning_sides import torchvision_ssd

from ssd_core.data.loading import decode_row
from ssd_core.data.shards import ShardSet
from ssd_core.spec.augmentation import STARRED
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.weights.initial import initial_detector

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> ShardSet:
    return ShardSet(drawn_shards(str(tmp_path_factory.mktemp("drawn")), images=8))


def test_small_shards_keep_the_relative_boxes_and_nearly_the_pixels(drawn, tmp_path):
    shrink(drawn, tmp_path)
    small = ShardSet(str(tmp_path))
    small.verify()
    assert small.image_ids() == drawn.image_ids()
    for row, before in zip(small, drawn, strict=True):
        assert max(row.width, row.height) == 300
        fractions = row.boxes_xyxy / np.array([row.width, row.height] * 2)
        np.testing.assert_allclose(
            fractions, before.boxes_xyxy / np.array([before.width, before.height] * 2), atol=1e-6
        )
        expected = cv2.resize(decode_row(before), (row.width, row.height), interpolation=cv2.INTER_AREA)
        assert cv2.PSNR(decode_row(row), expected) > 25


def test_a_piece_ends_before_the_image_that_would_exceed_its_size(drawn):
    rows = [replace(small_row(row), image=bytes(size)) for row, size in zip(drawn, (4, 4, 4, 9, 1), strict=False)]
    assert [[len(row.image) for row in piece] for piece in pieces(rows, most_bytes=8)] == [[4, 4], [4], [9], [1]]


@pytest.mark.parametrize("stream", [OurBatches, SmallTorchvisionBatches])
def test_losses_on_shared_outputs_are_those_of_each_side_as_a_whole(drawn, stream):
    recipe = Recipe(spec=ssd_tiny(drawn.classes), augmentation=STARRED, batch_size=4)
    detector, batch = initial_detector(recipe.spec, 0), stream(drawn, recipe)[0]
    batch.objects.valid[1] = False  # an image without objects
    locations, logits = detector(batch.images)
    assert batch.images.dtype == torch.uint8
    torch.testing.assert_close(our_loss(detector)(locations, logits, batch), whole_our_loss(detector, batch))
    theirs = whole_torchvision_loss(torchvision_ssd(detector).train(), batch)
    torch.testing.assert_close(torchvision_loss(detector)(locations, logits, batch), theirs, rtol=1e-4, atol=1e-4)


def test_a_resized_schedule_keeps_its_warm_up_and_ends_with_a_small_rate():
    schedule = resized(SCHEDULE, 5000)
    assert (schedule.iterations, schedule.warmup) == (5000, SCHEDULE.warmup)
    assert [schedule.learning_rate(step) for step in range(500)] == [SCHEDULE.learning_rate(s) for s in range(500)]
    assert schedule.learning_rate(4999) < 1e-6 * SCHEDULE.base_lr


def test_a_resized_schedule_drops_at_the_same_shares():
    assert resized(Schedule(iterations=10_000, drops=(7_500, 9_200)), 1000).drops == (750, 920)


@pytest.fixture(scope="module")
def result_folder(drawn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("learning")
    for name in ("train", "test"):
        shrink(drawn, folder / "voc300" / name)
    return folder


def test_a_small_run_trains_and_scores_both_sides(result_folder):
    options = argparse.Namespace(device="cpu", data=result_folder, out=result_folder / "out", small=True, seconds=1)
    result = measure(options)
    assert json.loads((result_folder / "out/learning.json").read_text()) == result
    assert list(result["sides"]) == ["ours", "torchvision"]
    for side in result["sides"].values():
        assert [point["steps"] for point in side["losses"]] == [2, 4]
        assert np.isfinite([point["loss"] for point in side["losses"]]).all()
        assert [point["images"] for point in side["scores"]] == [16]
        assert 0 <= side["scores"][0]["map_11point"] <= 1


def budgeted(folder: Path, drawn: ShardSet, test: str) -> list[Side]:
    schedule = Schedule(iterations=1000, base_lr=1e-4, drops=(750,), warmup=4)
    spec = ssd_tiny(drawn.classes)
    recipe = Recipe(spec=spec, augmentation=STARRED, schedule=schedule, batch_size=4, optimiser="adamw")
    return [
        Side(
            whose=whose,
            recipe=recipe,
            train=str(folder / "voc300/train"),
            test=str(folder / "voc300" / (test if whose == "torchvision" else "test")),
            device=torch.device("cpu"),
            processes=0,
            seconds=1,
            measured=(1, 3),
            least=8,
            evaluations=2,
            window=3,
        )
        for whose in SIDES
    ]


def empty_result() -> dict[str, Any]:
    return {"iterations": 1000, "train_images": 8, "sides": {whose: {"losses": [], "scores": []} for whose in SIDES}}


def test_with_a_budget_both_sides_take_the_iterations_that_the_slower_one_can(drawn, result_folder):
    result = empty_result()
    compare(budgeted(result_folder, drawn, "test"), result, result_folder / "budget/learning.json", time.monotonic())
    assert result["iterations"] == 8, "the fewest, since the budget is over"
    assert result["epochs"] == 4
    for side in result["sides"].values():
        assert side["seconds_per_step"] > 0
        assert [point["steps"] for point in side["scores"]][-1] == 8
        assert [point["rate"] for point in side["losses"]][-1] == pytest.approx(1e-5)


def test_a_side_that_fails_before_its_speed_is_known_ends_the_comparison(drawn, result_folder):
    sides = budgeted(result_folder, drawn, "absent")
    with pytest.raises(RuntimeError, match="the training of ours and torchvision did not finish"):
        compare(sides, empty_result(), result_folder / "failing/learning.json", time.monotonic())


def test_loader_processes_are_shared_out_by_the_cost_of_the_augmentations():
    assert loader_processes(16) == {"ours": 2, "torchvision": 12}
    assert loader_processes(2) == {"ours": 1, "torchvision": 1}


def test_the_comparison_needs_no_package_but_torch_torchvision_opencv_and_arrow():
    absent = ("ray", "mlflow", "pycocotools", "beartype", "psutil", "typer", "rich", "pandas", "scipy")
    code = f"import sys; sys.modules.update(dict.fromkeys({absent})); import gpu.learning"
    path = {"PYTHONPATH": f"{ROOT}:{ROOT / 'benchmarks'}", "PATH": ""}
    finished = subprocess.run([sys.executable, "-c", code], env=path, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
