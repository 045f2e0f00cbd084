"""Runs a stage and its inputs in this process, without Ray: for tests and notebooks."""

from __future__ import annotations

from pipeline.execution.executor import InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.folder import Folder
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.stage import Stage
from pipeline.store.store import Store


def run_in_process(stage: Stage, store: str) -> Folder:
    """Run what is not cached and return the result of `stage`; `store` is a path or URI."""
    graph, place = Graph([stage]), Store.open(store)
    result = Scheduler(graph, place, InlineExecutor(), Resolver(graph), run_id="in-process").run()
    result.raise_for_failures()
    manifest = result.outcomes[graph.targets[0]].manifest
    assert manifest is not None, "its graph ran without a failure"
    return place.output(manifest)
