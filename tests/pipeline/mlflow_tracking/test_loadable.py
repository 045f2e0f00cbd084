"""The best version's alias, and a registry that refuses; test_mlflow_model.py of the framework loads the models."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.folder import Folder
from pipeline.mlflow_tracking.client import open_client
from pipeline.mlflow_tracking.loadable import BEST, mark_best, register


def test_the_best_version_is_the_one_with_the_highest_metric_and_runs_without_it_are_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    client = open_client(Folder(str(tmp_path)))
    experiment = client.create_experiment("shapes")
    client.create_registered_model("shapes")
    mark_best(client, "shapes", "voc07/mAP")
    for score in (0.1, 0.3, None, 0.2):
        run = client.create_run(experiment)
        if score is not None:
            client.log_metric(run.info.run_id, "voc07/mAP", score)
        client.create_model_version("shapes", run.info.artifact_uri, run.info.run_id)
        mark_best(client, "shapes", "voc07/mAP")
    assert int(client.get_model_version_by_alias("shapes", BEST).version) == 2


def test_a_registry_that_refuses_costs_a_warning_and_the_record_of_the_training_continues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    client = open_client(Folder(str(tmp_path)))
    experiment = client.create_experiment("shapes")
    run = client.create_run(experiment, run_name="squares/seed0")
    model = client.create_logged_model(experiment, name="squares-seed0", source_run_id=run.info.run_id)
    register(client, "not/allowed", model.model_id, run)
    assert "MLflow does not register the weights of squares/seed0 as not/allowed (" in caplog.text
