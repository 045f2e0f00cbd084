"""`ssdpipe train`: one recipe, from annotated images to its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.cli.requests import TrainRequest
from experiments.cli.shared.options import RunOptions

if TYPE_CHECKING:
    from pipeline.folder import Folder


def train(request: TrainRequest, running: RunOptions) -> None:
    """Train one recipe and evaluate it.

    The result is the weights and their average precision. After a failure or Ctrl-C, the same command resumes where it
    stopped.
    """
    from experiments.cli.evaluate import print_pictures, print_summary
    from experiments.cli.requests.running import run_request, ui_command
    from experiments.cli.shared.printing import percent
    from pipeline.store.record import read_summary
    from stages.evaluation.validate import Validate
    from stages.shards.shard import Shard
    from stages.training.elastic.certificate_text import certificate_lines, compilation_lines
    from stages.training.train import Train
    from stages.training.weight_files import WEIGHTS

    graph, store, result = run_request(request, running)
    evaluation = result.outcomes[graph.targets[0]].manifest
    print_summary(store, evaluation)
    assert evaluation is not None, "its graph ran successfully"
    numbers = read_summary(store.output(evaluation))
    if "voc12/mAP" in numbers:
        print(f"mAP by area (voc12): {percent(numbers['voc12/mAP'])}")
    for node in graph.nodes.values():
        if isinstance(node.stage, Shard) and (manifest := result.outcomes[node.id].manifest):
            _print_defects(node.address, store.output(manifest))
        if isinstance(node.stage, Train) and (manifest := result.outcomes[node.id].manifest):
            print(f"weights: {store.output(manifest).place(WEIGHTS)}")
            for line in certificate_lines(manifest.provenance):
                print(f"workers: {line}")
            for line in compilation_lines(manifest.provenance):
                print(f"compiled: {line}")
        if isinstance(node.stage, Validate) and (manifest := result.outcomes[node.id].manifest):
            print(f"best on {request.validation_split}: {_best(store.output(manifest))}")
    print_pictures(graph, store, result)
    if running.mlflow:
        print(f"curves:  {ui_command(running)}")


def _print_defects(address: str, shards: Folder) -> None:
    """Print the defects that a strict sharding refuses, if any, and where they are listed with their places."""
    from stages.datasets.defects import Kind, is_legal

    numbers = shards.read_json("report.json")["defects"]
    if defects := [f"{kind}: {number:,}" for kind, number in numbers.items() if not is_legal(Kind(kind))]:
        print(f"defects of {address}: {', '.join(defects)}; places: {shards.place('report.md')}")


def _best(output: Folder) -> str:
    from experiments.cli.shared.printing import percent
    from pipeline.store.record import read_summary

    numbers = read_summary(output)
    return f"{percent(numbers['validation/best_mAP'])} at step {numbers['validation/best_step']:,}"
