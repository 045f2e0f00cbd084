"""The check of compiled networks; trainings with real compilers are in tests/stages/training/test_compiled.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor

from ssd_core.network.model import Detector
from ssd_core.spec.augmentation import FLIP_ONLY
from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule
from ssd_core.training.compilation import compiled, examine
from ssd_core.weights.initial import initial_detector

if TYPE_CHECKING:
    from ssd_core.training.compilation import Network


def images(count: int = 2) -> Tensor:
    rng = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (count, 3, 64, 64), dtype=torch.uint8, generator=rng)


def distorting(detector: Detector, factor: float) -> Network:
    """The detector with gradients of the scores that are multiplied by a factor."""

    def network(images: Tensor) -> tuple[Tensor, Tensor]:
        locations, logits = detector(images)
        logits.register_hook(lambda gradient: gradient * factor)
        return locations, logits

    return network


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_check_accepts_an_equal_network_and_leaves_no_trace_in_gradients_weights_and_random_streams(
    small_spec: DetectorSpec, precision
):
    detector = initial_detector(small_spec, 0)
    before, state = torch.get_rng_state(), {name: each.clone() for name, each in detector.state_dict().items()}
    verdict = examine(detector, detector, [images(3), images(1)], precision)
    assert not verdict.refusal
    assert 0 < verdict.difference < 0.7
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(each, detector.state_dict()[name]) for name, each in state.items())
    assert all(parameter.grad is None for parameter in detector.parameters())


@pytest.mark.parametrize(("factor", "precision"), [(1.1, "fp32"), (float("nan"), "fp32"), (0.0, "bf16"), (2.0, "bf16")])
def test_the_check_refuses_other_gradients(small_spec: DetectorSpec, factor, precision):
    detector = initial_detector(small_spec, 0)
    refusal = examine(detector, distorting(detector, factor), [images()], precision).refusal
    assert refusal.startswith("torch.compile computes ")
    assert "a relative error of" in refusal


def test_the_check_refuses_other_outputs(small_spec: DetectorSpec):
    detector = initial_detector(small_spec, 0)

    def network(images: Tensor) -> tuple[Tensor, Tensor]:
        locations, logits = detector(images)
        return locations, logits + 1

    refusal = examine(detector, network, [images()], "fp32").refusal
    assert refusal.startswith("torch.compile computes the predicted scores with")
    assert "; 1 of " in refusal


def test_a_compiler_that_fails_is_refused_with_its_error(small_spec: DetectorSpec):
    def network(images: Tensor) -> tuple[Tensor, Tensor]:
        raise RuntimeError("no C++ compiler\nat all")

    detector = initial_detector(small_spec, 0)
    assert (
        examine(detector, network, [images()], "fp32").refusal == "torch.compile failed: RuntimeError: no C++ compiler"
    )


@pytest.mark.slow  # two processes
def test_when_the_compiled_network_of_one_worker_is_wrong_all_workers_go_on_uncompiled(
    small_spec: DetectorSpec, small_shards, train_together, tmp_path
):
    schedule = Schedule(iterations=3, base_lr=1e-3, drops=())
    recipe = Recipe(spec=small_spec, augmentation=FLIP_ONLY, schedule=schedule, batch_size=4, compiled=True)
    first, second = train_together(recipe=recipe, shards=small_shards, folder=str(tmp_path), distorting_rank=1)
    assert [first["compiled"], second["compiled"]] == [False, False]
    assert all(torch.equal(each, second["state"][name]) for name, each in first["state"].items())


@pytest.mark.slow  # C++ is compiled for half a minute
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_inductor_computes_the_gradients_of_the_uncompiled_network(small_spec: DetectorSpec, precision):
    torch.compiler.reset()
    detector = initial_detector(small_spec, 0).to(memory_format=torch.channels_last)
    assert examine(detector, compiled(detector), [images()], precision).refusal == ""
