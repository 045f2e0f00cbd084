"""The training loop: the same steps for any number of workers, exact resumption, and errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from ssd_core.boxes.matching import match
from ssd_core.data.shards import ShardSet
from ssd_core.data.training_stream import Batch, TrainingStream, training_batches
from ssd_core.spec.augmentation import FLIP_ONLY, STARRED
from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule
from ssd_core.training.checkpoint import CheckpointFolder
from ssd_core.training.loss import multibox_loss
from ssd_core.training.trainer import NonFiniteLossError
from ssd_core.weights.initial import initial_detector

Together = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def recipe(small_spec: DetectorSpec) -> Recipe:
    """Batches of 4 of the 11 images, so that they span epochs; the rate drops at step 8."""
    schedule = Schedule(iterations=10, base_lr=1e-3, drops=(8,), warmup=3)
    return Recipe(spec=small_spec, augmentation=STARRED, schedule=schedule, batch_size=4, seed=3)


def assert_same(state: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert state.keys() == other.keys()
    assert [name for name in state if not torch.equal(state[name], other[name])] == []


# Rates at which rounding does not grow. At 5e-4 and 1e-3 the losses part at step 8, by up to 0.3 % at step 20.
@pytest.mark.parametrize(("norm_groups", "base_lr"), [(0, 2e-3), (4, 2e-5)])
def test_one_and_two_workers_see_the_same_batches_and_losses_also_where_a_batch_does_not_divide(
    recipe, small_shards, training_process, train_together: Together, tmp_path: Path, norm_groups, base_lr
):
    schedule = Schedule(iterations=20, base_lr=base_lr, drops=(15,))
    spec = replace(recipe.spec, norm_groups=norm_groups)
    recipe = replace(recipe, spec=spec, batch_size=5, schedule=schedule)
    alone = training_process.train(recipe, small_shards, str(tmp_path / "alone"))
    first, second = train_together(recipe=recipe, shards=small_shards, folder=str(tmp_path / "together"))
    assert [len(first["images"][step]) for step in range(20)] == [2] * 20
    for step in range(20):
        assert first["images"][step] + second["images"][step] == alone["images"][step]
    assert first["losses"] == pytest.approx(alone["losses"], rel=1e-5)
    assert list(first["losses"]) == list(range(1, 21))
    assert alone["losses"][20] != pytest.approx(alone["losses"][1], rel=1e-3)
    assert_same(first["state"], second["state"])


def test_with_a_local_normaliser_each_worker_divides_by_its_own_count_and_gradients_are_averaged(
    recipe, small_shards, train_together: Together, tmp_path: Path
):
    """The first step of two workers by hand: each share separately, then the mean of both gradients."""
    schedule = Schedule(iterations=1, base_lr=1e-2, drops=())
    recipe = replace(recipe, schedule=schedule, normaliser="local", local_workers=2, weight_decay=0.0)
    together = train_together(recipe=recipe, shards=small_shards, folder=str(tmp_path))
    detector = initial_detector(recipe.spec, recipe.seed)
    losses, counts = [], []
    for rank in range(2):
        batch = TrainingStream(ShardSet(small_shards), recipe, rank=rank, world=2).batch(0)
        matches = match(detector.default_boxes, batch.objects, recipe.spec)
        locations, logits = detector(batch.images)
        sums = multibox_loss(locations, logits, matches, batch.objects, detector.default_boxes, recipe.spec)
        losses.append((sums.location + sums.confidence) / sums.matched)
        counts.append(sums.matched.item())
    assert counts[0] != counts[1]  # else it would be the global normaliser
    mean = (losses[0] + losses[1]) / 2
    assert together[0]["losses"] == pytest.approx({1: mean.item()}, rel=1e-5)
    mean.backward()
    for name, parameter in detector.named_parameters():
        rate = 2e-2 if name.endswith("bias") and "norm" not in name else 1e-2
        change = rate * parameter.grad
        for worker in together:
            found = parameter.detach() - worker["state"][name]
            assert (found - change).abs().max() < 1e-3 * change.abs().max(), name  # rounding is a tenth of that


def test_a_local_normaliser_of_one_worker_is_the_global_one(recipe, small_shards, training_process, tmp_path: Path):
    local = replace(recipe, normaliser="local", local_workers=1)
    states = [
        training_process.train(each, small_shards, str(tmp_path / each.normaliser))["state"] for each in (recipe, local)
    ]
    assert_same(*states)


def test_a_local_normaliser_for_another_number_of_workers_is_refused(
    recipe, small_shards, training_process, tmp_path: Path
):
    recipe = replace(recipe, normaliser="local")
    with pytest.raises(ValueError, match="declared for 4 workers, but there are 1"):
        training_process.train(recipe, small_shards, str(tmp_path))


def test_a_stopped_training_resumes_to_bitwise_the_weights_of_an_uninterrupted_one(
    recipe, small_shards, training_process, tmp_path: Path
):
    undisturbed = training_process.train(recipe, small_shards, str(tmp_path / "undisturbed"))
    folder, pace = str(tmp_path / "stopped"), {"checkpoint_steps": 2}
    for stop in (5, 7):  # after the checkpoints of 4 and 6 finished steps
        with pytest.raises(training_process.StoppedError):
            training_process.train(recipe, small_shards, folder, pace=pace, stop_before=stop)
    resumed = training_process.train(recipe, small_shards, folder, pace=pace)
    assert resumed["started"] == 6
    assert_same(resumed["state"], undisturbed["state"])
    for step in range(6, 10):
        assert resumed["losses"][step + 1] == undisturbed["losses"][step + 1]


def test_two_stopped_workers_resume_to_bitwise_the_same_weights(
    recipe, small_shards, train_together: Together, tmp_path: Path
):
    folder, pace = str(tmp_path / "stopped"), {"checkpoint_steps": 2}
    undisturbed, _ = train_together(recipe=recipe, shards=small_shards, folder=str(tmp_path / "undisturbed"))
    train_together(recipe=recipe, shards=small_shards, folder=folder, pace=pace, stop_before=5)
    resumed, other = train_together(recipe=recipe, shards=small_shards, folder=folder, pace=pace)
    assert resumed["started"] == other["started"] == 4
    assert_same(resumed["state"], undisturbed["state"])


def test_loader_processes_change_nothing(recipe, small_shards, training_process, tmp_path: Path):
    in_process = training_process.train(recipe, small_shards, str(tmp_path / "a"))
    ahead = training_process.train(recipe, small_shards, str(tmp_path / "b"), loader_processes=2)
    assert ahead["images"] == in_process["images"]
    assert_same(ahead["state"], in_process["state"])


def test_how_often_it_logs_and_saves_changes_nothing(recipe, small_shards, training_process, tmp_path: Path):
    often = {"log_steps": 1, "checkpoint_seconds": 0.0}
    seldom = training_process.train(recipe, small_shards, str(tmp_path / "a"), pace={"log_steps": 7})
    assert list(seldom["losses"]) == [7, 10]  # and the last step
    assert_same(training_process.train(recipe, small_shards, str(tmp_path / "b"), pace=often)["state"], seldom["state"])


def test_a_logged_loss_is_the_mean_since_the_last_one(recipe, small_shards, training_process, tmp_path: Path):
    each = training_process.train(recipe, small_shards, str(tmp_path / "a"))["losses"]
    fifth = training_process.train(recipe, small_shards, str(tmp_path / "b"), pace={"log_steps": 5})["losses"]
    assert fifth == pytest.approx(
        {5: sum(each[s] for s in range(1, 6)) / 5, 10: sum(each[s] for s in range(6, 11)) / 5}
    )


def test_a_point_holds_both_parts_of_the_loss_the_rate_of_its_step_and_the_throughput(
    recipe, small_shards, training_process, tmp_path: Path
):
    listener = training_process.Recorder()
    training_process.train(recipe, small_shards, str(tmp_path), listener=listener)
    point = listener.points[2]
    assert point["loss"] == pytest.approx(point["loss/location"] + point["loss/confidence"])
    assert point["learning_rate"] == pytest.approx(1e-3 * 2 / 3)  # the second of three steps of warm-up
    assert listener.points[9]["learning_rate"] == pytest.approx(1e-4)
    assert point["throughput/images_per_second"] > 0
    assert 0 < point["throughput/data_wait_share"] < 1
    assert listener.reported[-1] == (10, 10)


def test_a_training_that_waits_for_its_input_prints_for_what_share_of_the_time(
    recipe, small_shards, training_process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def slow_batches(*arguments: Any, **options: Any) -> Iterator[Batch]:
        for batch in training_batches(*arguments, **options):
            time.sleep(0.3)
            yield batch

    monkeypatch.setattr(training_process, "training_batches", slow_batches)
    listener = training_process.Recorder()
    short = replace(recipe, schedule=Schedule(iterations=3, base_lr=1e-3, drops=()))
    training_process.train(short, small_shards, str(tmp_path), listener=listener)
    share = listener.points[3]["throughput/data_wait_share"]
    assert share > 0.3
    assert listener.notes[-1].endswith(f", {share:.0%} of the time waiting for data")


def test_images_without_any_objects_give_a_loss_of_zero(recipe, small_shards, training_process, tmp_path: Path):
    recipe = replace(
        recipe, batch_size=1, augmentation=FLIP_ONLY, schedule=Schedule(iterations=11, base_lr=1e-3, drops=())
    )
    result = training_process.train(recipe, small_shards, str(tmp_path))
    (step,) = [step for step, images in result["images"].items() if images == ["image5"]]
    assert result["losses"][step + 1] == 0
    assert result["losses"][step] > 0


def test_checkpoints_are_written_by_wall_clock_too(recipe, small_shards, training_process, tmp_path: Path, monkeypatch):
    now = iter(range(0, 1000, 4))  # looks at the clock: at the start, each step (16 at step 4) and when saving (20)
    monkeypatch.setattr("time.monotonic", lambda: float(next(now)))
    pace = {"checkpoint_steps": 1000, "checkpoint_seconds": 15.0}
    with pytest.raises(training_process.StoppedError):
        training_process.train(recipe, small_shards, str(tmp_path), pace=pace, stop_before=9)
    assert CheckpointFolder(path=str(tmp_path)).steps() == [4, 8]


def test_checkpoints_of_validation_are_kept_beside_the_newest_two(
    recipe, small_shards, training_process, tmp_path: Path
):
    recipe = replace(recipe, keep_every=3)
    training_process.train(recipe, small_shards, str(tmp_path), pace={"checkpoint_steps": 2})
    assert CheckpointFolder(path=str(tmp_path)).steps() == [3, 6, 9, 10]


def test_a_loss_that_is_not_finite_ends_the_training_and_keeps_the_last_checkpoint(
    recipe, small_shards, training_process, tmp_path: Path
):
    recipe = replace(recipe, schedule=Schedule(iterations=10, base_lr=1e30, drops=(), warmup=0))
    calm = replace(recipe, schedule=replace(recipe.schedule, base_lr=0.0))
    pace = {"checkpoint_steps": 2, "log_steps": 5}
    with pytest.raises(training_process.StoppedError):
        training_process.train(calm, small_shards, str(tmp_path), pace=pace, stop_before=3)
    with pytest.raises(NonFiniteLossError, match=r"step 4 is not finite \(learning rate 1e\+30\)") as raised:
        training_process.train(recipe, small_shards, str(tmp_path), pace=pace)
    (batch,) = [training_process.train(calm, small_shards, str(tmp_path / "other"))["images"][3]]
    assert f"images of its batch: {', '.join(batch)}." in str(raised.value)
    assert "the last checkpoint, at step 2, is kept" in str(raised.value)
    folder = CheckpointFolder(path=str(tmp_path))
    assert folder.steps() == [2]
    assert all(tensor.isfinite().all() for tensor in folder.read(2)["model"].values())


def test_weights_that_an_update_made_infinite_are_not_saved(recipe, small_shards, training_process, tmp_path: Path):
    recipe = replace(recipe, schedule=Schedule(iterations=1, base_lr=1.6e38, drops=()))
    with pytest.raises(NonFiniteLossError, match="the weights after the update of step 1"):
        training_process.train(recipe, small_shards, str(tmp_path))
    assert CheckpointFolder(path=str(tmp_path)).steps() == []


def test_every_worker_names_the_images_of_the_whole_batch_when_a_loss_is_not_finite(
    recipe, small_shards, train_together: Together, training_process: ModuleType, tmp_path: Path
):
    recipe = replace(recipe, schedule=Schedule(iterations=5, base_lr=1e30, drops=()))
    first, second = train_together(recipe=recipe, shards=small_shards, folder=str(tmp_path / "a"))
    assert first["error"] == second["error"]
    calm = replace(recipe, schedule=replace(recipe.schedule, base_lr=0.0))
    batch = training_process.train(calm, small_shards, str(tmp_path / "b"))["images"][1]
    assert f"step 2 is not finite (learning rate 1e+30); images of its batch: {', '.join(batch)}." in first["error"]


def test_bf16_is_refused_where_the_hardware_lacks_it(
    recipe, small_shards, training_process, tmp_path: Path, monkeypatch
):
    monkeypatch.setattr("ssd_core.network.precision.has_bf16", lambda device: False)
    with pytest.raises(ValueError, match="precision bf16 is not supported by this cpu device"):
        training_process.train(replace(recipe, precision="bf16"), small_shards, str(tmp_path))


def test_bf16_trains_to_about_the_loss_of_fp32(recipe, small_shards, training_process, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("ssd_core.network.precision.has_bf16", lambda device: True)  # slow here, yet it computes
    precise = training_process.train(recipe, small_shards, str(tmp_path / "a"))["losses"]
    coarse = training_process.train(replace(recipe, precision="bf16"), small_shards, str(tmp_path / "b"))["losses"]
    assert coarse[1] == pytest.approx(precise[1], rel=0.02)
    assert coarse[1] != pytest.approx(precise[1], rel=1e-6)


def test_a_compiled_training_is_that_of_the_detector_whose_checkpoints_it_shares(
    recipe, small_shards, training_process, tmp_path: Path
):
    plain = training_process.train(recipe, small_shards, str(tmp_path / "plain"))
    half = replace(recipe, schedule=replace(recipe.schedule, iterations=5), compiled=True)
    with torch.compiler.set_stance("force_eager"):  # compilation would take minutes here
        training_process.train(half, small_shards, str(tmp_path / "compiled"))
    rest = training_process.train(recipe, small_shards, str(tmp_path / "compiled"))
    assert_same(rest["state"], plain["state"])
