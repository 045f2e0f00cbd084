"""The parts of the self-check of a group that need no group."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ssd_core.training.world import World
from stages.training.selfcheck import reduction
from stages.training.selfcheck.reduction import Reduction, expected_sum, reduce_exactly
from stages.training.selfcheck.trial import COMPARED_STEPS, batch, losses, trial_recipe

CPU = torch.device("cpu")


def test_the_expected_sum_is_that_of_the_tensors_of_all_workers() -> None:
    tensors = [reduction._own(3000, rank, CPU) for rank in range(3)]
    assert torch.equal(torch.stack(tensors).sum(dim=0), expected_sum(3000, 3, CPU))


def test_a_worker_that_receives_another_sum_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reduction, "CPU_BYTES", 4096)
    assert reduce_exactly(World()).wrong == ()
    monkeypatch.setattr(reduction, "expected_sum", lambda count, workers, device: torch.ones(count))
    assert reduce_exactly(World()).wrong == (0,)


def test_the_bandwidth_counts_what_passes_each_link_of_a_ring() -> None:
    assert Reduction(wrong=(), bytes=8 * 10**9, seconds=2.0, workers=8).bandwidth == 7e9


def test_the_shares_of_the_workers_are_the_batch_of_one() -> None:
    recipe = trial_recipe(3, on_gpu=False)
    whole = batch(recipe, 4)
    shares = [batch(recipe, 4, rank=rank, world=3) for rank in range(3)]
    assert torch.equal(torch.cat([share.images for share in shares]), whole.images)
    assert torch.equal(torch.cat([share.objects.boxes_xyxy for share in shares]), whole.objects.boxes_xyxy)
    assert not torch.equal(whole.images, batch(recipe, 5).images)


def test_there_are_as_many_images_as_workers_at_least() -> None:
    assert trial_recipe(64, on_gpu=True).batch_size == 64


def test_losses_are_finite_and_repeat() -> None:
    recipe = replace(trial_recipe(1, on_gpu=False), batch_size=2)
    first = losses(World(), recipe)
    assert len(first) == COMPARED_STEPS
    assert first == losses(World(), recipe)
    assert torch.tensor(first).isfinite().all()
