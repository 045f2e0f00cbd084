"""Opens MLflow: where it records, its environment, its experiment.

`MLFLOW_TRACKING_URI` names the tracker; the default is an SQLite file and a folder of artifacts in the store, or below
`mlflow/` in the cache folder when the store is remote: `ssdpipe sync` makes it anew on another machine. Timeouts are
short because no result depends on the tracker.

Tested in tests/pipeline/mlflow_tracking/test_observer.py.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.external.survey_cache import cache_folder
from pipeline.folder import Folder
from pipeline.mlflow_tracking.database import create_database
from pipeline.mlflow_tracking.names import legal_names
from pipeline.redaction import redacted
from pipeline.store.provenance import user

ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # the default of 7 waits four minutes at each call
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


NOTE = "mlflow.note.content"
"""Tag of a run or an experiment that MLflow shows as Markdown on its page."""

OUR_NOTE = "ssdpipe.note"
"""Tag with what this project last wrote there, so that a user's own text is not overwritten."""

KIND = ("mlflow.experimentKind", "custom_model_development")
"""Tag of an experiment that contains trainings."""

DATABASE = "mlflow.db"
"""File of the default tracker, in its `home`."""

DATABASES = ("sqlite", "postgresql", "mysql", "mssql")


def home(store: Folder) -> Path:
    """Local folder of the default tracker."""
    if store.is_local:
        return Path(store.path)
    place = f"{store.filesystem.type_name}://{store.path}"  # however its URI names endpoint and credentials
    cache = cache_folder() or Path(tempfile.gettempdir()) / f"ssdpipe-{user()}"
    return cache / "mlflow" / f"{store.name}-{hashlib.sha256(place.encode()).hexdigest()[:8]}"


def shown_uri(store: Folder) -> str:
    """Where MLflow records, without the user and password that `MLFLOW_TRACKING_URI` may hold."""
    return redacted(tracking_uri(store))


def tracking_uri(store: Folder) -> str:
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{home(store) / DATABASE}"


def open_client(store: Folder) -> Any:
    """An `MlflowClient`; the first one on a new SQLite file creates its tables, which takes about two seconds."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient

    logging.getLogger("alembic").setLevel(logging.ERROR)
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        home(store).mkdir(parents=True, exist_ok=True)
        create_database(home(store) / DATABASE)
    return MlflowClient(tracking_uri=tracking_uri(store))


@dataclass(frozen=True, kw_only=True)
class About:
    """An MLflow experiment: its name, and what its page shows above the runs."""

    name: str
    primary_metric: str = ""
    note: str = ""
    """Markdown."""

    loader: str = ""
    """Module whose `_load_pyfunc` opens weights; without it, models only record where their files are."""

    def tags(self) -> dict[str, str]:
        tags = dict([KIND])
        if self.note:
            tags |= {NOTE: self.note, OUR_NOTE: self.note}
        if self.primary_metric:
            tags["mlflow.experiment.primaryMetric.name"] = legal_names([self.primary_metric])[self.primary_metric]
            tags["mlflow.experiment.primaryMetric.greaterIsBetter"] = "True"
        return tags


def experiment_id(client: Any, store: Folder, about: About) -> str:
    """Id of the MLflow experiment; it is created if absent, and restored if deleted in the user interface."""
    experiment = client.get_experiment_by_name(about.name)
    if experiment is None:
        return str(client.create_experiment(about.name, _artifact_location(store, about.name), about.tags()))
    if experiment.lifecycle_stage == "deleted":
        client.restore_experiment(experiment.experiment_id)
    edited = experiment.tags.get(NOTE, "") != experiment.tags.get(OUR_NOTE, "")
    for name, value in about.tags().items():
        if experiment.tags.get(name) != value and not (edited and name in (NOTE, OUR_NOTE)):
            client.set_experiment_tag(experiment.experiment_id, name, value)
    return str(experiment.experiment_id)


def _artifact_location(store: Folder, name: str) -> str | None:
    if not tracking_uri(store).startswith(DATABASES):
        return None  # a server has its own location
    return (home(store) / "mlflow-artifacts" / re.sub(r"[^\w\-.]", "_", name)).as_uri()
