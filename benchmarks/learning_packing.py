"""Packing of a data set into shards by the pipeline's own stages.

Apart from the other modules of the comparison, which need no more than torch, so that they run on a bare GPU machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.execution.executor import InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.store.store import Store
from ssd_core.data.shards import ShardSet
from stages.shards.shard import Shard


def packed(stages: Sequence[Shard], store: Path) -> list[ShardSet]:
    """Return the shards of these stages, from the store or made in this process."""
    place, graph = Store.open(str(store)), Graph(list(stages))
    result = Scheduler(graph, place, InlineExecutor(), Resolver(graph), run_id="pack").run()
    result.raise_for_failures()
    manifests = [result.outcomes[node].manifest for node in graph.targets]
    return [ShardSet(place.output(manifest).path) for manifest in manifests if manifest]
