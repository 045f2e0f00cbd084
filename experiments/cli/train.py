"""`ssdpipe train`: one recipe, from annotated images to its numbers."""

from __future__ import annotations

from experiments.cli.options import Running
from experiments.cli.requests import TrainRequest


def train(request: TrainRequest, running: Running) -> None:
    """Train one recipe and evaluate it.

    The same command goes on where it stopped; its result is the weights and their average precision.
    """
    from experiments.cli.evaluate import print_summary
    from experiments.cli.running import bring_to_end, ui_command
    from stages.train import WEIGHTS, Train

    graph, store, result = bring_to_end(request, running)
    print_summary(store, result.outcomes[graph.targets[0]].manifest)
    for node in graph.nodes.values():
        if isinstance(node.stage, Train) and (manifest := result.outcomes[node.id].manifest):
            print(f"weights: {store.output(manifest).path}/{WEIGHTS}")
    if running.mlflow:
        print(f"curves:  {ui_command(running)}")
