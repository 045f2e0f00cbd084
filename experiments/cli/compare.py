"""`ssdpipe compare`: an experiment's table from the results in the store.

Tested in tests/experiments/cli/test_show.py.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from experiments.cli.requests import ExperimentRequest
from experiments.cli.shared.options import JsonOption, StorePlace

if TYPE_CHECKING:
    from experiments.framework.comparison import StoredExperiment


def compare(request: ExperimentRequest, place: StorePlace, as_json: JsonOption = False) -> None:
    """Print an experiment's table from the store.

    Columns: paper, ours, difference; rows without a result read "not run". With only a name, the options of its last
    run apply; with options that never ran, those of the last run that has them; with nothing, the last run's
    experiment.
    """
    from experiments.cli.requests.recorded import resolve_request, stored_experiment
    from experiments.cli.requests.results_elsewhere import hint_if_empty, hint_if_partial
    from experiments.cli.shared.table_text import table_text
    from pipeline.errors import PipelineError
    from pipeline.store.store import Store
    from stages.placement import Placement

    store = Store.open(place.store)
    resolved = resolve_request(request, store, complete_options=True)
    if not isinstance(resolved, ExperimentRequest):
        raise PipelineError(f"the last run, `{resolved.command}`, has no table: name an experiment, see `ssdpipe list`")
    members = resolved.members()
    tables = [(member, stored_experiment(member, [member.target(Placement())], store)) for member in members]
    if as_json:
        print(json.dumps([document(stored) for _, stored in tables], indent=1))
    else:
        print("\n".join(table_text(stored, member.settings or ()) for member, stored in tables), end="")
    hint_if_empty("compare", tables, store, place.store)
    hint_if_partial(tables)


def document(stored: StoredExperiment) -> dict[str, Any]:
    """The cells of the table with all their numbers, accuracies as fractions."""
    from experiments.framework.elsewhere import reported_for

    cells = [
        asdict(line)
        | {"mean": line.mean, "spread": line.spread, "difference": line.difference}
        | {"elsewhere": [asdict(each) for each in reported_for(stored.table, cell)]}
        for line, cell in zip(stored.lines(), stored.table.cells, strict=True)
    ]
    return {"title": stored.table.title, "preset": stored.table.preset, "note": stored.note, "cells": cells}
