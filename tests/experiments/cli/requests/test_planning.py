"""`ssdpipe plan` for what `train` takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from experiments.cli.requests import ExperimentRequest, TrainRequest
from experiments.cli.requests.planning import PlanRequest
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from tests.experiments.cli.conftest import Project


def test_the_plan_of_a_recipe_is_that_of_train_with_the_same_options(project: Project) -> None:
    options = ("--data", str(project.data), "--gpus", "0", "--workers", "2", "-s", "schedule.iterations=5")
    done = project.ssdpipe("plan", "ssd-tiny", *options, "--json")
    assert done.exit_code == 0, done.output
    stages = {stage["address"]: stage for stage in json.loads(done.stdout)["stages"]}
    assert [stages[f"shard/cats-{split}"]["state"] for split in ("train", "test")] == ["cached", "cached"]
    assert stages["train/ssd-tiny/seed0"]["cost"]["images"] == 5 * 4
    assert list(stages)[-2:] == ["evaluate/ssd-tiny/seed0", "pictures/ssd-tiny/seed0"]


def test_each_name_takes_the_options_of_its_command() -> None:
    trained = PlanRequest(experiment="ssd-tiny", workers=2, init="scratch", gpus=0).meant()
    assert trained == TrainRequest(recipe="ssd-tiny", workers=2, init="scratch", gpus=0)
    run = PlanRequest(experiment="ablation-layers", preset="tiny", seeds=3).meant()
    assert run == ExperimentRequest(experiment="ablation-layers", preset="tiny", seeds=3)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (PlanRequest(experiment="ssd-tiny", seeds=2), "`ssdpipe train`, which has no --seeds"),
        (PlanRequest(experiment="ablation-layers", init="scratch"), "`ssdpipe run`, which has no --init"),
    ],
)
def test_an_option_of_the_other_command_is_refused(request_: PlanRequest, message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        request_.meant()
