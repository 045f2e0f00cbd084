"""The MLflow experiment of a request: name, description and primary metric."""

from __future__ import annotations

import pytest

from experiments.cli.requests import ExperimentRequest, TrainRequest
from experiments.cli.requests.request import Request
from experiments.cli.requests.running import about
from stages.placement import Placement


def about_request(request: Request):
    return about(request, request.targets(Placement())[0])


def test_the_description_of_an_experiment_states_its_question_and_the_paper_s_finding() -> None:
    found = about_request(ExperimentRequest(experiment="ablation-box-shapes", preset="tiny"))
    assert found.name == "ablation-box-shapes"
    assert found.note.startswith("**Table 2: Do default boxes of several shapes help?** Paper: 0.6 points")
    assert "group by the parameter `variant`" in found.note


def test_several_experiments_share_one_mlflow_experiment_with_all_their_questions() -> None:
    found = about_request(ExperimentRequest(experiment="table2", preset="tiny"))
    assert found.name == "table2"
    assert found.note.count("**Table 2: ") == 3


@pytest.mark.parametrize(
    ("request_", "metric"),
    [
        (ExperimentRequest(experiment="ablation-layers", preset="tiny"), "voc07/mAP"),
        (ExperimentRequest(experiment="coco", preset="tiny"), "coco/AP"),
        (ExperimentRequest(experiment="voc2012", preset="tiny"), "voc12/mAP"),
        (ExperimentRequest(experiment="ilsvrc", preset="tiny"), "ilsvrc/mAP"),
        (TrainRequest(recipe="ssd-tiny"), "voc07/mAP"),
    ],
)
def test_the_primary_metric_is_that_of_the_protocol(request_, metric) -> None:
    assert about_request(request_).primary_metric == metric
