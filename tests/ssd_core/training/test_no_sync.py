"""A step of a training on a GPU, or of the suppression, never makes the host wait for the device.

Without a GPU the operators of such a step are checked: none has a result whose shape depends on values, and none gives
a value to Python. With one, torch itself refuses to wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from ssd_core.data.shards import ShardSet
from ssd_core.data.training_stream import Batch, training_batches
from ssd_core.detection.decoding import detections
from ssd_core.detection.fused import packed_detections
from ssd_core.detection.limits import PAPER_LIMITS
from ssd_core.spec.augmentation import STARRED
from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule
from ssd_core.training.checkpoint import CheckpointFolder
from ssd_core.training.trainer import Pace, Trainer
from ssd_core.training.world import World
from ssd_core.weights.initial import initial_detector

WAITING = {
    "nonzero", "nonzero_numpy", "argwhere", "masked_select", "_local_scalar_dense", "item", "is_nonzero", "equal",
    "_unique", "_unique2", "unique_dim", "unique_consecutive", "bincount", "repeat_interleave",
}  # fmt: skip
"""Operators that synchronise on a GPU, whatever their arguments."""


class WaitingError(AssertionError):
    """An operator would make the host wait for the device."""


class NoWaiting(TorchDispatchMode):
    """Refuses operators that synchronise on a GPU; counts the others."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.overloadpacket.__name__ in WAITING or _is_mask(func, args) or _copies_scalar(func, args):
            raise WaitingError(f"{func} makes the host wait")
        self.count += 1
        return func(*args, **(kwargs or {}))


def _is_mask(func: Any, args: Any) -> bool:
    """Return whether the operator indexes by a mask."""
    if func.overloadpacket.__name__ not in {"index", "index_put", "index_put_", "_index_put_impl_"}:
        return False
    return any(index is not None and index.dtype in {torch.bool, torch.uint8} for index in args[1])


def _copies_scalar(func: Any, args: Any) -> bool:
    """Return whether the operator is `where` with a number, which is copied to the device."""
    return func.overloadpacket.__name__ == "where" and any(values.dim() == 0 for values in args[1:])


@pytest.fixture
def recipe(small_spec: DetectorSpec) -> Recipe:
    """Batches of 4 of the 11 images, one of them without objects."""
    schedule = Schedule(iterations=12, base_lr=1e-3, drops=())
    return Recipe(spec=small_spec, augmentation=STARRED, schedule=schedule, batch_size=4, seed=3)


def train(
    recipe: Recipe, shards: str, folder: Path, listener: Any, *, mode: NoWaiting | None = None,
    static_shapes: bool | None = True,
) -> dict[str, Tensor]:  # fmt: skip
    """Return the weights after all steps; of these all but the last, which saves, run in `mode`."""
    trainer = Trainer(
        recipe,
        initial_detector(recipe.spec, recipe.seed),
        world=World(),
        checkpoints=CheckpointFolder(path=str(folder)),
        listener=listener,
        pace=Pace(log_steps=100),
        static_shapes=static_shapes,
    )

    def watched(batches: Iterator[Batch]) -> Iterator[Batch]:
        *first, last = batches
        for batch in first:
            if mode is None:
                yield batch
            else:
                with mode:
                    yield batch
        yield last

    stop = recipe.schedule.iterations
    detector = trainer.run(watched(training_batches(ShardSet(shards), recipe, stop=stop)))
    return detector.state_dict()


@pytest.mark.parametrize("normaliser", ["global", "local"])
def test_no_operator_of_a_step_makes_the_host_wait_for_a_gpu(
    recipe: Recipe,
    small_shards: str,
    training_process: ModuleType,
    tmp_path: Path,
    normaliser: Literal["global", "local"],
) -> None:
    mode = NoWaiting()
    recipe = replace(recipe, normaliser=normaliser, local_workers=1)
    if normaliser == "global":
        recipe = replace(recipe, accumulation=2, clip_norm=1.0, ema_decay=0.9, frozen_through="conv1_1")
    train(recipe, small_shards, tmp_path, training_process.Recorder(), mode=mode)
    assert mode.count > 1000  # the mode was on in the forward and the backward pass


def test_the_check_refuses_the_computation_of_a_cpu(
    recipe: Recipe, small_shards: str, training_process: ModuleType, tmp_path: Path
) -> None:
    with pytest.raises(WaitingError, match="nonzero"):
        train(recipe, small_shards, tmp_path, training_process.Recorder(), mode=NoWaiting(), static_shapes=None)


def test_the_computation_of_a_gpu_trains_to_about_the_weights_of_a_cpu(
    recipe: Recipe, small_shards: str, training_process: ModuleType, tmp_path: Path
) -> None:
    recipe = replace(recipe, spec=replace(recipe.spec, norm_groups=0))  # steady, so that rounding does not grow
    static, dynamic = (
        train(recipe, small_shards, tmp_path / str(each), training_process.Recorder(), static_shapes=each)
        for each in (True, None)
    )
    torch.testing.assert_close(static, dynamic, rtol=1e-4, atol=1e-6)


def test_the_suppression_of_a_gpu_waits_for_nothing_before_its_detections_are_read() -> None:
    generator = torch.Generator().manual_seed(0)
    predictions = torch.randn(3, 700, 4, generator=generator), 3 * torch.randn(3, 700, 5, generator=generator)
    boxes_cxcywh, variances = torch.rand(700, 4, generator=generator), (0.1, 0.2)
    with NoWaiting() as mode:
        packed = packed_detections(*predictions, boxes_cxcywh, variances, PAPER_LIMITS)
    assert mode.count > 50
    assert len(packed.read()[0][0]) == 600
    with pytest.raises(WaitingError), NoWaiting():
        detections(*predictions, boxes_cxcywh, variances, static_shapes=False)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_torch_detects_no_synchronisation_in_a_step_on_a_gpu(
    recipe: Recipe, small_shards: str, training_process: ModuleType, tmp_path: Path
) -> None:
    trainer = Trainer(
        recipe,
        initial_detector(recipe.spec, recipe.seed),
        world=World(device=torch.device("cuda", 0)),
        checkpoints=CheckpointFolder(path=str(tmp_path)),
        listener=training_process.Recorder(),
        pace=Pace(log_steps=100),
    )
    steps = recipe.schedule.iterations

    def watched(batches: Iterator[Batch]) -> Iterator[Batch]:
        for step, batch in enumerate(batches):
            strict = 2 <= step < steps - 1  # the first steps load libraries, the last one saves
            torch.cuda.set_sync_debug_mode("error" if strict else "default")
            yield batch

    try:
        batches = training_batches(ShardSet(small_shards), recipe, stop=steps, pin_memory=True)
        trainer.run(watched(batches))
    finally:
        torch.cuda.set_sync_debug_mode("default")
