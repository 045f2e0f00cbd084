"""Train a row of a bundle again: the graph of the installed experiment, run in a store of its own.

Tested in tests/experiments/cli/bundles/test_retrain.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from experiments.cli.requests import ExperimentRequest, request_from

if TYPE_CHECKING:
    from experiments.framework.bundles.index import Index
    from experiments.framework.bundles.rebuilding import Bundle
    from experiments.framework.bundles.retraining import ArchivedRow, Retrained
    from pipeline.stage import Stage
    from pipeline.store.store import Manifest, Store
    from stages.graphs import Evaluation
    from stages.tables.content import Cell
    from stages.training.train import Train


def retrained(bundle: Bundle, named: str, *, own_file: str, data: str, gpus: int | None, place: str) -> Retrained:
    """The row trained again in the store at `place`. Raises PipelineError when that would be another training."""
    from experiments.framework.bundles.retraining import (
        Retrained,
        archived_row,
        refuse_other_inputs,
        refuse_other_settings,
    )
    from pipeline.store.record import read_summary
    from pipeline.store.store import Store

    row = archived_row(bundle, named)
    request = _request(bundle.index, row, own_file=own_file, data=data, gpus=gpus)
    score, training = _stages(row, request)
    refuse_other_settings(row, training)
    store = Store.open(place)
    inputs = {"shards": training.shards, **({"initial": training.initial} if training.initial else {})}
    refuse_other_inputs(row, dict(zip(inputs, _run(inputs.values(), store, request), strict=True)))
    trained, detected, scored = _run((training, score.detections, score), store, request)
    value = float(read_summary(store.output(scored))[row.metric])
    return Retrained(row=row, training=trained, detections=detected, value=value)


def _request(index: Index, row: ArchivedRow, *, own_file: str, data: str, gpus: int | None) -> ExperimentRequest:
    """The recorded options, with places of this machine. A file is executed only if the user types it."""
    from experiments.framework.loading import names_a_file
    from pipeline.errors import PipelineError

    request = request_from({"command": ExperimentRequest.command, **index.request})
    assert isinstance(request, ExperimentRequest)
    if names_a_file(request.experiment) and not own_file:
        raise PipelineError(
            f"the bundle is of the file {request.experiment}, which is not executed because a bundle names it: if you "
            "have it and trust it, add --own-file with its path"
        )
    if request.data and not data:
        raise PipelineError(f"the bundle is of the data set {request.data}: name your copy of it with --data")
    if data and not request.data:
        raise PipelineError("the bundle is not of a data set of your own: omit --data")
    on_cpu = gpus == 0 if gpus is not None else not row.uses_gpu
    placed: dict[str, Any] = {"gpus": 0, "in_process": True, "cpus_per_worker": row.cpus} if on_cpu else {"gpus": gpus}
    return replace(request, experiment=own_file or request.experiment, data=data, **placed)


def _stages(row: ArchivedRow, request: ExperimentRequest) -> tuple[Evaluation, Train]:
    """The installed experiment's score of the row for the first seed, and its training."""
    from pipeline.errors import PipelineError
    from stages.graphs import Evaluation
    from stages.training.train import Train

    cells = request.target(request.placement()).cells
    score = next((each.results[0] for each in cells if _is_of(each, row) and each.results), None)
    training = score.training if isinstance(score, Evaluation) else None
    if not (isinstance(score, Evaluation) and isinstance(training, Train)):
        raise PipelineError(f"the installed experiment {request.experiment} does not train the row {row.label}")
    return score, training


def _is_of(cell: Cell, row: ArchivedRow) -> bool:
    return (cell.row, cell.column) == (row.cell.row, row.cell.column)


def _run(targets: Iterable[Stage], store: Store, request: ExperimentRequest) -> list[Manifest]:
    """Results of the targets, computed in this process on a CPU, and by Ray on GPUs."""
    from experiments.cli.requests.running import about
    from pipeline.display.screen import display
    from pipeline.driver.run import Invocation, run_graph
    from pipeline.execution.executor import InlineExecutor
    from pipeline.execution.scheduler import Scheduler
    from pipeline.planning.graph import Graph
    from pipeline.planning.resolver import Resolver
    from pipeline.store.provenance import run_provenance

    targets = tuple(targets)
    graph = Graph(targets)
    if request.in_process:
        for node in graph.nodes.values():
            node.stage.prepare()
        run = Scheduler(
            graph,
            store,
            InlineExecutor(),
            Resolver(graph),
            run_id="retrain",
            observers=[display(len(graph.nodes))],
            provenance=run_provenance(),
        )
        result = run.run()
        result.raise_for_failures()
    else:
        result = run_graph(graph, store, Invocation(about=about(request, targets[-1]), gpus=request.gpus, mlflow=False))
    return [manifest for each in graph.targets if (manifest := result.outcomes[each].manifest)]
