"""Trainings with compiled=true through the stage, with compilers that are right and one that is planted to be wrong."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch._dynamo.backends.common import aot_autograd

from pipeline.errors import Interrupted
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule
from ssd_core.training import compilation
from ssd_core.weights.weights import load_weights
from stages.drawn.vocabulary import CLASSES
from stages.training.elastic.certificate_text import NAME, compilation_lines
from stages.training.elastic.history import Compilation, History
from stages.training.train import Train

if TYPE_CHECKING:
    from ssd_core.spec.detector import DetectorSpec

WRONG = torch.Size((6 * (len(CLASSES) + 1), 32, 3, 3))
"""Shape of the filters for the scores of conv7, which no other parameter has."""


@pytest.fixture
def training(drawn: Any, small_spec: DetectorSpec) -> Train:
    """Four steps of 4 of 13 images, a checkpoint after every second."""
    schedule = Schedule(iterations=4, base_lr=1e-3, drops=())
    recipe = Recipe(spec=small_spec, batch_size=4, schedule=schedule, compiled=True)
    return Train(recipe=recipe, shards=drawn.train, workers=0, checkpoint_steps=2, log_steps=1)


def doubling() -> Any:
    """A backend of torch.compile that doubles one gradient; all else is right."""

    def backward(graph: Any, _: Any) -> Any:
        def run(*values: Any) -> list[Any]:
            return [2 * each if getattr(each, "shape", None) == WRONG else each for each in graph(*values)]

        return boxed(run)

    return aot_autograd(fw_compiler=lambda graph, _: boxed(graph.forward), bw_compiler=backward)


def boxed(function: Any) -> Any:
    """Take the arguments as one list, as AOTAutograd passes them."""

    def run(values: list[Any]) -> Any:
        return function(*values)

    vars(run)["_boxed_call"] = True
    return run


def choose(monkeypatch: Any, backend: Any) -> None:
    torch.compiler.reset()
    monkeypatch.setattr(compilation, "COMPILER", {"dynamic": False, "backend": backend})


@pytest.mark.slow  # tracing takes half of the time of this file
def test_with_a_compiler_that_is_right_the_training_is_compiled_and_says_so(training, in_process, drawn, monkeypatch):
    choose(monkeypatch, "aot_eager")
    ctx, values = in_process(training, "result", drawn.folders), []
    monkeypatch.setattr(ctx, "record", lambda step, found: values.append(found["compiled"]))  # joins MLflow's curves
    training.run(ctx)
    assert values == [1, 1, 1, 1]
    assert ctx.notes[NAME]["compilations"] == [{"start": 0, "refusal": ""}]
    assert compilation_lines(ctx.notes) == ("yes; its gradients were checked against those of the uncompiled network",)


def test_with_a_compiler_that_doubles_a_gradient_the_training_is_the_uncompiled_one_also_when_resumed(
    training, in_process, drawn, monkeypatch, caplog
):
    choose(monkeypatch, doubling())
    ctx, values = in_process(training, "result", drawn.folders), []
    monkeypatch.setattr(ctx, "record", lambda step, found: values.append(found["compiled"]))
    monkeypatch.setattr(ctx, "stop_requested", lambda: len(values) == 1)
    with caplog.at_level(logging.WARNING, "ssd_core"), pytest.raises(Interrupted, match="step 2"):
        training.run(ctx)
    refusal = History.at(ctx.work).compilations()[0].refusal
    assert [record.message for record in caplog.records] == [
        f"the training goes on uncompiled, although compiled=true: {refusal}"
    ]
    assert refusal.startswith("torch.compile computes heads.conv7.logits.weight with a relative error of 1, ")
    assert "; 1 of " in refusal

    choose(monkeypatch, "aot_eager")  # where the compiler is right, the rest is not trained otherwise than the start
    resumed = in_process(training, "result", drawn.folders)
    training.run(resumed)
    assert compilation_lines(json.loads(json.dumps(resumed.notes))) == (f"no, although compiled=true: {refusal}",)
    uncompiled = replace(training, recipe=replace(training.recipe, compiled=False))
    plain = in_process(uncompiled, "plain", drawn.folders)
    uncompiled.run(plain)
    assert compilation_lines(plain.notes) == ()
    assert_equal_weights(resumed, plain)


def assert_equal_weights(one: Any, other: Any) -> None:
    with one.out.open_input("weights.pt") as first, other.out.open_input("weights.pt") as second:
        state, plain = load_weights(first).state, load_weights(second).state
    assert [name for name, tensor in state.items() if not torch.equal(tensor, plain[name])] == []


def test_a_refusal_after_the_newest_checkpoint_is_forgotten_with_its_steps(training, in_process, drawn):
    history = History.at(in_process(training, "result", drawn.folders).work)
    for start in (0, 4):
        history.write(Compilation(start=start, refusal=f"refused at {start}"))
    history.rewind(4)
    assert [each.start for each in history.compilations()] == [0]
    assert compilation_lines({NAME: {"compilations": [{"start": 0, "refusal": ""}, {"start": 4, "refusal": "x"}]}}) == (
        "up to step 4, although compiled=true: x",
    )
