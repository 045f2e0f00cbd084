"""Weights of a training as an MLflow model that loads, and as a version in the registry; the best has the alias `best`.

The model holds no weights but their place in the store, so that each file exists once.

Tested in tests/experiments/framework/test_mlflow_model.py and tests/pipeline/mlflow_tracking/test_loadable.py.
"""

from __future__ import annotations

import json
import logging
import tempfile
from pathlib import Path
from typing import Any

from pipeline.mlflow_tracking.names import legal_names

BEST = "best"
"""Alias of the version with the highest primary metric: `models:/NAME@best`."""

PLACE = "weights.json"

logger = logging.getLogger(__name__)


def make_loadable(client: Any, model_id: str, run_id: str, loader: str, file: str) -> None:
    """Write what `mlflow.pyfunc.load_model` needs; `loader` is the module whose `_load_pyfunc` opens the weights."""
    from mlflow.models import Model
    from mlflow.pyfunc import add_to_model

    with tempfile.TemporaryDirectory() as folder:
        model = Model(run_id=run_id, model_id=model_id)
        add_to_model(model, loader_module=loader, data=PLACE)
        model.save(str(Path(folder, "MLmodel")))
        Path(folder, PLACE).write_text(json.dumps({"file": file}), encoding="utf-8")
        client.log_model_artifacts(model_id, folder)


def register(client: Any, name: str, model_id: str, run: Any) -> None:
    """Add the model as a version of the registered model `name`, once; a registry that refuses it costs a warning."""
    from mlflow.exceptions import MlflowException

    try:
        _register(client, name, model_id, run)
    except MlflowException as error:  # a tracker without a registry, or a user without permission for it
        reason = str(error).partition("\n")[0]
        logger.warning("MLflow does not register the weights of %s as %s (%s)", run.info.run_name, name, reason)


def _register(client: Any, name: str, model_id: str, run: Any) -> None:
    source = str(client.get_logged_model(model_id).artifact_location)  # SQLite's registry looks for models:/ elsewhere
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name, description="Detectors trained by ssdpipe, one version for each training.")
    if source not in {str(version.source) for version in _versions(client, name)}:
        client.create_model_version(name, source, run.info.run_id, description=run.info.run_name)


def mark_best(client: Any, name: str, metric: str) -> None:
    """Give the alias to the version whose training has the highest metric, if any has one."""
    from mlflow.exceptions import MlflowException

    legal = legal_names([metric])[metric]
    try:
        versions = {version.version: client.get_run(version.run_id) for version in _versions(client, name)}
        scores = {number: run.data.metrics[legal] for number, run in versions.items() if legal in run.data.metrics}
        if scores:
            client.set_registered_model_alias(name, BEST, max(scores, key=lambda number: scores[number]))
    except MlflowException as error:  # a tracker without a registry, or a run that was deleted
        logger.warning("MLflow marks no best model (%s)", str(error).partition("\n")[0])


def _versions(client: Any, name: str) -> list[Any]:
    return list(client.search_model_versions(f"name = '{name}'"))
