"""Dataclasses become options, and requests become JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from experiments.cli.requests import EvaluateRequest, ExperimentRequest, Request, TrainRequest, request_from
from experiments.cli.shared.options import expanded


@dataclass(frozen=True, kw_only=True)
class Size:
    width: Annotated[int, typer.Option("-w", "--width")]
    height: int = 2


def area(times: int, size: Size) -> None:
    """Print an area."""
    print(times * size.width * size.height)


def test_the_fields_of_a_dataclass_are_options_of_the_command() -> None:
    app = typer.Typer()
    app.command()(expanded(area))
    assert CliRunner().invoke(app, ["2", "-w", "5"]).stdout == "20\n"
    assert CliRunner().invoke(app, ["2"]).exit_code == 2  # a field without a default is required


@pytest.mark.parametrize(
    "request_",
    [
        ExperimentRequest(experiment="ablation-layers", preset="tiny", seeds=3, settings=["schedule.base_lr=0.1"]),
        TrainRequest(recipe="ssd-tiny", data="bccd", gpus=0, workers=2),
        EvaluateRequest(weights="weights.pt", data="bccd"),
    ],
)
def test_a_recorded_request_is_read_back(request_: Request) -> None:
    assert request_from(json.loads(json.dumps(request_.to_json()))) == request_


def test_a_recorded_option_unknown_to_this_version_is_ignored() -> None:
    recorded = TrainRequest(recipe="ssd-tiny").to_json() | {"brightness": 3}
    assert request_from(recorded) == TrainRequest(recipe="ssd-tiny")
