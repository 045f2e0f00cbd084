"""A saved view of an experiment in MLflow: trainings by their primary metric, with the settings in which they differ.

MLflow keeps shared views as tags of the experiment; the address of a page names one by its key.

Tested in tests/pipeline/mlflow_tracking/test_recorded_runs.py.
"""

from __future__ import annotations

import json
from typing import Any

KEY = "ssdpipe"
STAGES = "params.stage LIKE '%'"
"""Filter for the runs of stages, without those of invocations."""

TAG = f"mlflow.sharedViewState.{KEY}"
FIRST = ("label", "seed", "data")
"""Parameters that are always shown."""

HIDDEN = (*FIRST, "stage", "variant", "training_seed", "class_names")
MOST_COLUMNS = 12
MOST_RUNS = 200


def save_view(client: Any, experiment: Any) -> None:
    """Save the view of the newest runs in the experiment, if its tag differs."""
    metric = experiment.tags.get("mlflow.experiment.primaryMetric.name", "")
    runs = client.search_runs([experiment.experiment_id], STAGES, max_results=MOST_RUNS)
    state = json.dumps(view_of([run.data.params for run in runs], metric))
    if experiment.tags.get(TAG) != state:
        client.set_experiment_tag(experiment.experiment_id, TAG, state)


def view_of(parameters: list[dict[str, str]], metric: str) -> dict[str, Any]:
    """The state of MLflow's table of runs, as its user interface stores it."""
    names = sorted({name for run in parameters for name in run} - set(HIDDEN))
    differing = [name for name in names if len({run.get(name) for run in parameters}) > 1]
    columns = [f"metrics.`{metric}`"] if metric else []
    columns += [f"params.`{name}`" for name in (*FIRST, *differing)][: MOST_COLUMNS - 1]
    return {
        "searchFilter": STAGES,
        "orderByKey": columns[0],
        "orderByAsc": not metric,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": columns,
    }
