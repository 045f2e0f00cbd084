"""`ssdpipe sync`: MLflow, brought up to date from the store."""

from __future__ import annotations

from experiments.cli.options import StorePlace
from experiments.cli.requests import ExperimentRequest


def sync(request: ExperimentRequest, place: StorePlace) -> None:
    """Record what the store holds of an experiment in MLflow, as far as it is not there.

    For a tracker that is new, or was out of reach. Given only a name, the options are those of its last run; given
    nothing, it is the last run.
    """
    from experiments.cli.recorded import meant
    from experiments.cli.recording import about
    from pipeline.graph import Graph
    from pipeline.mlflow_client import tracking_uri
    from pipeline.store import Store
    from pipeline.tracking import sync
    from stages.graphs import Placement

    store = Store.open(place.store)
    found = meant(request, store)
    targets = found.targets(Placement())
    graph = Graph(targets)
    count = sync(graph, store, about(found, targets[0]))
    print(f"{count} of {len(graph.nodes)} results of {found.name} are in {tracking_uri(store.folder)}")
