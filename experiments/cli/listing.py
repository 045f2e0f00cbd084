"""`ssdpipe list`: the experiments, each with its question and the table that it reproduces."""

from __future__ import annotations

import json

from experiments.cli.shared.options import JsonOption


def list_experiments(as_json: JsonOption = False) -> None:
    """List the experiments and their questions."""
    from experiments.cli.shared.printing import columns, wrapped
    from experiments.framework.loading import load_experiment
    from experiments.framework.names import TABLES, experiment_names

    experiments = [load_experiment(name) for name in experiment_names()]
    if as_json:
        keys = ("name", "answers", "question")
        print(json.dumps([{key: getattr(each, key) for key in keys} for each in experiments], indent=1))
        return
    print(columns((each.name, each.answers, each.question) for each in experiments))
    print(wrapped(f"also {', '.join(TABLES)}: the experiments of a table; all: the whole paper", ""))
