"""`ssdpipe sync`: bring MLflow up to date with the store."""

from __future__ import annotations

from experiments.cli.requests import ExperimentRequest
from experiments.cli.shared.options import StorePlace


def sync(request: ExperimentRequest, place: StorePlace) -> None:
    """Record an experiment's results in MLflow.

    Adds only what is missing there, for instance after the tracking server changed or was unreachable. With only a
    name, the options of its last run apply; with nothing, the last run.
    """
    from experiments.cli.requests.recorded import resolve_request
    from experiments.cli.requests.running import about
    from pipeline.mlflow_tracking.client import shown_uri
    from pipeline.mlflow_tracking.observer import sync
    from pipeline.planning.graph import Graph
    from pipeline.store.store import Store
    from stages.placement import Placement

    store = Store.open(place.store)
    resolved = resolve_request(request, store)
    targets = resolved.targets(Placement())
    graph = Graph(targets)
    count = sync(graph, store, about(resolved, targets[0]))
    print(f"{count} of {len(graph.nodes)} results of {resolved.name} are in {shown_uri(store.folder)}")
