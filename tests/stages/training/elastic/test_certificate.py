"""Trainings in the process of the test, whose recorded number of workers is edited between two starts."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import Interrupted, PipelineError
from pipeline.folder import Folder
from pipeline.stage import Resources
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule
from stages.training.elastic.certificate_text import NAME, certificate_lines
from stages.training.train import Train

if TYPE_CHECKING:
    from ssd_core.spec.detector import DetectorSpec


@pytest.fixture
def training(drawn: Any, small_spec: DetectorSpec) -> Train:
    """Twelve steps of 4 of 13 images; a checkpoint every third step."""
    recipe = Recipe(spec=small_spec, batch_size=4, schedule=Schedule(iterations=12, base_lr=1e-3, drops=()), seed=1)
    return Train(recipe=recipe, shards=drawn.train, workers=0, checkpoint_steps=3, log_steps=1)


def stopped_at_6(training: Train, in_process: Any, drawn: Any, monkeypatch: Any) -> Any:
    ctx = in_process(training, "result", drawn.folders)
    recorded = []
    monkeypatch.setattr(ctx, "record", lambda step, values: recorded.append(step))
    monkeypatch.setattr(ctx, "stop_requested", lambda: len(recorded) == 5)
    with pytest.raises(Interrupted, match="step 6"):
        training.run(ctx)
    return in_process(training, "result", drawn.folders)


def edit(work: Folder, **values: Any) -> None:
    """Change what is recorded of the steps so far."""
    for name in (work / "history").files():
        (work / "history").write_json(name, (work / "history").read_json(name) | values)


def test_a_training_on_a_constant_number_of_workers_records_it_and_needs_no_certificate(training, in_process, drawn):
    ctx = in_process(training, "result", drawn.folders)
    training.run(ctx)
    assert ctx.notes[NAME] == {"steps": 12, "groups": [{"first": 1, "last": 12, "workers": 1}]}
    assert certificate_lines(ctx.notes) == ()


def test_around_a_change_steps_are_replayed_on_one_worker_and_the_images_of_all_are_compared(
    training, in_process, drawn, monkeypatch
):
    ctx = stopped_at_6(training, in_process, drawn, monkeypatch)
    edit(ctx.work, workers=2)
    training.run(ctx)
    certificate = ctx.notes[NAME]
    assert certificate["groups"] == [{"first": 1, "last": 6, "workers": 2}, {"first": 7, "last": 12, "workers": 1}]
    assert certificate["other_images"] == []
    assert certificate["replays"] == [
        {"first": 4, "steps": 3, "workers": 2, "difference": 0.0},
        {"first": 7, "steps": 5, "workers": 1, "difference": 0.0},
    ]
    assert certificate_lines(json.loads(json.dumps(ctx.notes))) == (
        "steps 1 to 6 on 2 workers; steps 7 to 12 on 1 worker",
        "the images of all 12 recorded steps are those that seed and position determine",
        "steps 4 to 6 on 2 workers, replayed on one: losses differ by at most 0.0e+00, relative: within 1e-05",
        "steps 7 to 11 on 1 worker, replayed on one: losses differ by at most 0.0e+00, relative: within 1e-05",
        "the number of workers changed: these weights are not bit for bit those of a constant number of workers",
    )


def test_other_losses_and_other_images_are_reported(training, in_process, drawn, monkeypatch):
    ctx = stopped_at_6(training, in_process, drawn, monkeypatch)
    edit(ctx.work, workers=2, losses=[1.0, 1.0, 1.0], digests=[1, 2, 3])
    training.run(ctx)
    lines = certificate_lines(ctx.notes)
    assert lines[1] == "NOT THE SAME TRAINING: 6 steps have other images, the first is step 1"
    assert lines[2].endswith("relative: ABOVE 1e-05")


def test_steps_that_were_not_recorded_are_counted(training, in_process, drawn, monkeypatch):
    ctx = stopped_at_6(training, in_process, drawn, monkeypatch)
    edit(ctx.work, workers=2)
    (ctx.work / "history").delete("steps-000000000.json")
    training.run(ctx)
    assert certificate_lines(ctx.notes)[1] == "3 of 12 steps are not recorded"


def test_a_recipe_with_a_local_normaliser_refuses_another_number_of_workers(training, in_process, drawn):
    recipe = replace(training.recipe, normaliser="local", local_workers=2)
    stage = replace(training, recipe=recipe, workers=2, min_workers=1)
    with pytest.raises(PipelineError, match="defined for 2 workers, so their number cannot change"):
        stage.run(in_process(stage, "result", drawn.folders))
    assert stage.resources == Resources(cpus=2, nested=True, workers=2, least_workers=1)
