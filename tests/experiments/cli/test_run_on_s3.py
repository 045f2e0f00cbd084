"""An ablation on S3 has the table and the results of the one on a disk, byte by byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from experiments.cli.main import app
from experiments.cli.requests import ExperimentRequest
from pipeline.execution.executor import InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.store.store import Store

if TYPE_CHECKING:
    from tests.experiments.cli.conftest import Project

pytestmark = pytest.mark.slow

SETTINGS = ("schedule.iterations=2", "schedule.drops=", "schedule.warmup=0", "batch_size=2")
ROWS = 6


def run(project: Project, place: str) -> list[str]:
    """Compute the stages of the command without Ray; what the command, for which all is cached, prints then."""
    request = ExperimentRequest(
        experiment="ablation-layers",
        preset="tiny",
        column="yes",
        data=str(project.data),
        gpus=0,
        in_process=True,
        settings=list(SETTINGS),
    )
    graph = Graph(request.targets(request.placement()))
    Scheduler(graph, Store.open(place), InlineExecutor(), Resolver(graph), run_id="inline").run().raise_for_failures()
    settings = [word for setting in SETTINGS for word in ("-s", setting)]
    words = ("ablation-layers", "--preset", "tiny", "--column", "yes", "--data", str(project.data), "--gpus", "0")
    done = CliRunner().invoke(
        app, ["run", *words, "--in-process", "--no-mlflow", *settings], env={"SSDPIPE_STORE": place}
    )
    assert done.exit_code == 0, done.output
    assert "stages are cached" in done.stderr
    return [line for line in done.stdout.splitlines() if not line.startswith("report:")]


def test_an_ablation_on_s3_has_the_table_and_the_results_of_the_one_on_a_disk(project: Project, s3_place: str) -> None:
    places = (str(project.store), s3_place)
    on_disk, on_s3 = (run(project, place) for place in places)
    assert on_s3 == on_disk
    assert "conv4_3" in "".join(on_disk)
    local, remote = ({each.address: each.digest for each in Store.open(place).manifests()} for place in places)
    assert remote == local
    assert len([address for address in remote if address.startswith("train/")]) == ROWS
