"""`ssdpipe sync`: MLflow, brought up to date from the store."""

from __future__ import annotations

from experiments.cli.requests import ExperimentRequest
from experiments.cli.shared.options import StorePlace


def sync(request: ExperimentRequest, place: StorePlace) -> None:
    """Record what the store holds of an experiment in MLflow, as far as it is not there.

    For a tracker that is new, or was out of reach. Given only a name, the options are those of its last run; given
    nothing, it is the last run.
    """
    from experiments.cli.requests.recorded import meant
    from experiments.cli.requests.running import about
    from pipeline.mlflow_tracking.client import tracking_uri
    from pipeline.mlflow_tracking.observer import sync
    from pipeline.planning.graph import Graph
    from pipeline.store.store import Store
    from stages.placement import Placement

    store = Store.open(place.store)
    found = meant(request, store)
    targets = found.targets(Placement())
    graph = Graph(targets)
    count = sync(graph, store, about(found, targets[0]))
    print(f"{count} of {len(graph.nodes)} results of {found.name} are in {tracking_uri(store.folder)}")
