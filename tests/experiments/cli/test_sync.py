"""`ssdpipe sync`: record the results of a store in MLflow."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from mlflow import MlflowClient

from pipeline.errors import PipelineError

if TYPE_CHECKING:
    import pytest

    from tests.experiments.cli.conftest import Project


def test_the_results_of_the_last_run_are_recorded_at_the_tracking_uri(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"sqlite:///{project.store.parent}/elsewhere.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", place)
    done = project.ssdpipe("sync")
    assert (done.exit_code, done.stdout) == (0, f"2 of 6 results of ssd-tiny are in {place}\n")  # both sets of shards
    client = MlflowClient(place)
    (run,) = client.search_runs([client.get_experiment_by_name("ssd-tiny").experiment_id])
    assert run.info.run_name == "ssd-tiny · recorded later"
    (folder,) = client.list_artifacts(run.info.run_id)
    assert len(client.list_artifacts(run.info.run_id, folder.path)) == 2
    assert project.ssdpipe("sync", "ssd-tiny").stdout == done.stdout  # a recipe is named as an experiment is
    assert len(client.search_runs([run.info.experiment_id])) == 1
    assert len(client.list_artifacts(run.info.run_id, folder.path)) == 2


def test_mlflow_telemetry_is_off_unless_enabled(project: Project) -> None:
    code = """
from experiments.cli.main import app
app(["sync"], standalone_mode=False)
from mlflow.environment_variables import MLFLOW_DISABLE_TELEMETRY
print("disabled:", MLFLOW_DISABLE_TELEMETRY.get())
"""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "SSDPIPE_"))}
    for variables, expected in ({}, "True"), ({"MLFLOW_DISABLE_TELEMETRY": "false"}, "False"):
        environment = kept | {"SSDPIPE_STORE": str(project.store)} | variables
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
        assert done.stdout.splitlines()[-1] == f"disabled: {expected}"


def test_an_unreachable_tracking_server_is_reported(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    done = project.ssdpipe("sync")
    assert isinstance(done.exception, PipelineError)
    assert "http://127.0.0.1:9 cannot be updated" in str(done.exception)
