"""Shards of drawn images for benchmarks without data, made in this process in a folder that the caller owns."""

from __future__ import annotations

from pipeline.execution.executor import InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.store.store import Store
from stages.datasets.voc import VocFolder
from stages.drawn.draw import Draw
from stages.drawn.vocabulary import CLASSES
from stages.shards.shard import Shard

SIDES = (375, 500)
"""Range of widths and heights in pixels, about those of VOC."""


def drawn_shards(place: str, *, images: int) -> str:
    """Draw and pack images under `place`; return the folder of the shards."""
    drawn = Draw(train=images, test=0, sides=SIDES)
    shards = Shard(sources=(VocFolder(name="drawn", split="train", within=drawn),), classes=CLASSES)
    store, graph = Store.open(place), Graph([shards])
    result = Scheduler(graph, store, InlineExecutor(), Resolver(graph), run_id="draw").run()
    result.raise_for_failures()
    manifest = result.outcomes[graph.targets[0]].manifest
    assert manifest is not None, "a run without failures has a result"
    return store.output(manifest).path
