"""`ssdpipe why`: the differences between a stage now and its newest result.

Tested in tests/experiments/cli/test_json.py.
"""

from __future__ import annotations

import json

from experiments.cli.requests import ExperimentRequest
from experiments.cli.shared.options import JsonOption, StageArgument, StorePlace


def why(
    stage: StageArgument = "",
    *,
    request: ExperimentRequest,
    place: StorePlace,
    as_json: JsonOption = False,
) -> None:
    """Explain why a stage will run.

    Prints the differences from its newest result, down to the field and the function. The stage belongs to the graph of
    the last run, or of EXPERIMENT with the options of `plan`.
    """
    from experiments.cli.requests.recorded import resolve_request
    from pipeline.planning.graph import Graph
    from pipeline.planning.plan import why as reasons
    from pipeline.planning.resolver import Resolver
    from pipeline.store.store import Store
    from stages.placement import Placement

    store = Store.open(place.store)
    graph = Graph(resolve_request(request, store, stage).targets(Placement()))
    lines = reasons(graph, store, Resolver(graph), stage)
    print(json.dumps({"stage": stage, "reasons": lines}, indent=1) if as_json else "\n".join(lines))
