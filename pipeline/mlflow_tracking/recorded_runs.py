"""Results recorded in MLflow: the page of each key's run, and files attached to an invocation's run.

MLflow is optional: without it, or when it does not answer, there is nothing to link to.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pipeline.folder import Folder
from pipeline.mlflow_tracking.client import DATABASE, KIND, home, open_client
from pipeline.mlflow_tracking.remedies import cause
from pipeline.mlflow_tracking.saved_view import KEY, save_view
from pipeline.redaction import redacted

Value = TypeVar("Value")
RUNS_PER_PAGE = 1000
LOCAL_PAGES = "http://127.0.0.1:5000"
"""Address at which `ssdpipe ui` serves the MLflow pages of a store."""

TRAININGS = "workflowType=machine_learning"
"""Query that selects the view of trainings; MLflow opens with pages for language models otherwise."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RecordedRun:
    run_id: str
    url: str


def recorded_runs(store: Folder) -> dict[str, RecordedRun]:
    """MLflow runs of this store's results by key, over all experiments; nothing is created."""
    return _queried(store, lambda client: _all_runs(client, store), {})


@dataclass(frozen=True)
class ExperimentPages:
    """URLs of an experiment in MLflow's view of trainings."""

    runs: str
    best_first: str
    """A saved view: trainings by their primary metric, with the settings that differ."""

    chart: str


def experiment_pages(store: Folder, server: str) -> dict[str, ExperimentPages]:
    """Pages of this store's experiments by name, newest first."""
    return _queried(store, lambda client: _pages(client, server), {})


def attach(store: Folder, run_id: str, file: Path) -> bool:
    """Attach a file to the run of an invocation; return whether that succeeded."""
    return _queried(store, lambda client: _attach(client, run_id, file), False)


def _queried(store: Folder, query: Callable[[Any], Value], otherwise: Value) -> Value:
    if not (os.environ.get("MLFLOW_TRACKING_URI") or (home(store) / DATABASE).exists()):
        return otherwise
    try:
        return query(open_client(store))
    except Exception as error:  # whatever the tracker does, results are in the store
        _warn_once(cause(error))
        return otherwise


@cache
def _warn_once(reason: str) -> None:
    """A command asks for several things; one warning suffices."""
    logger.warning("MLflow does not answer: %s", reason)


def _pages(client: Any, server: str) -> dict[str, ExperimentPages]:
    from mlflow.exceptions import MlflowException

    pages = {}
    for found in client.search_experiments(filter_string=f"tags.`{KIND[0]}` = '{KIND[1]}'"):
        with suppress(MlflowException):  # a user who may only read sees the view as it was saved
            save_view(client, found)
        runs = f"{server}/#/experiments/{found.experiment_id}/runs?{TRAININGS}"
        view = f"{runs}&viewStateShareKey={KEY}"
        pages[found.name] = ExperimentPages(runs, view, f"{view}&compareRunsMode=CHART")
    return pages


def _all_runs(client: Any, store: Folder) -> dict[str, RecordedRun]:
    experiments = [item.experiment_id for item in client.search_experiments()]
    ours = f"tags.`ssdpipe.store` = '{store.path}'"
    runs: dict[str, RecordedRun] = {}
    token = None
    while token != "":
        page = client.search_runs(experiments, ours, max_results=RUNS_PER_PAGE, page_token=token)
        for run in page:
            if key := run.data.tags.get("ssdpipe.key"):
                runs.setdefault(key, RecordedRun(run.info.run_id, page_of(run)))
        token = page.token or ""
    return runs


def page_of(run: Any) -> str:
    """URL of the run's page on the tracking server, or for a database on the server that `ssdpipe ui` starts."""
    server = redacted(os.environ.get("MLFLOW_TRACKING_URI", ""))
    place = server.rstrip("/") if server.startswith("http") else LOCAL_PAGES
    return f"{place}/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}"


def _attach(client: Any, run_id: str, file: Path) -> bool:
    experiments = [item.experiment_id for item in client.search_experiments()]
    found = client.search_runs(experiments, f"tags.`ssdpipe.run` = '{run_id}'", max_results=1)
    for run in found:
        client.log_artifact(run.info.run_id, str(file))
    return bool(found)
