"""Weights of trainings in MLflow: loaded from the registry they detect as `ssdpipe.load` does."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import mlflow
import numpy as np
import pytest

from experiments.cli.requests.running import MODEL_LOADER
from experiments.framework import mlflow_model
from experiments.framework.detectors import load
from pipeline.mlflow_tracking.client import About, open_client, tracking_uri
from pipeline.mlflow_tracking.loadable import BEST
from pipeline.mlflow_tracking.observer import sync

if TYPE_CHECKING:
    from tests.experiments.conftest import Compared

ABOUT = About(name="shapes", primary_metric="voc07/mAP", loader=MODEL_LOADER)


@pytest.fixture
def recorded(compared: Compared, monkeypatch: pytest.MonkeyPatch) -> Compared:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for _ in range(2):  # idempotent
        sync(compared.graph, compared.store, ABOUT)
    return compared


def test_the_registry_holds_each_training_once_and_the_best_detects_as_load_does(
    recorded: Compared, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = open_client(recorded.store.folder)
    versions = {version.version: version for version in client.search_model_versions("name = 'shapes'")}
    assert len(versions) == 2
    scores = {number: client.get_run(version.run_id).data.metrics["voc07/mAP"] for number, version in versions.items()}
    best = client.get_model_version_by_alias("shapes", BEST)
    assert scores[best.version] == max(scores.values())

    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    monkeypatch.setattr(
        mlflow_model, "load", partial(load, min_score=0.01)
    )  # so short a training scores no object high
    mlflow.set_tracking_uri(tracking_uri(recorded.store.folder))
    try:
        loaded = mlflow.pyfunc.load_model(f"models:/shapes@{BEST}")
    finally:
        mlflow.set_tracking_uri(None)
    stage = client.get_run(best.run_id).data.params["stage"]
    expected = load(stage, store=recorded.place, min_score=0.01)(image)
    assert len(expected) > 0
    assert repr(loaded.predict(image)) == repr(expected)


def test_runs_and_models_bear_the_label_of_the_row_and_the_name_of_the_data_and_no_recipe(recorded: Compared) -> None:
    client = open_client(recorded.store.folder)
    experiment = client.get_experiment_by_name("shapes")
    runs = client.search_runs([experiment.experiment_id], "params.stage LIKE '%'")
    assert {run.info.run_name for run in runs} == {"all · drawn-train · seed 0", "squares · drawn-train · seed 0"}
    assert {run.data.params["label"] for run in runs} == {"all", "squares"}
