"""One step of the pipeline on a given number of images, in this process, with its time and its peak of memory.

    python -c "from cpu.growth_jobs import main; main()" STEP IMAGES PLACE

Steps run through the scheduler on the store PLACE/store, so that checks and commits count; `reads` is one epoch of a
training's batches. PLACE/data holds the pictures, PLACE/list-IMAGES their first IMAGES in VOC layout. Prints JSON.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.execution.executor import InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.folder import Folder
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.stage import Context, Stage
from pipeline.store.store import Store
from ssd_core.data.shards import ShardSet
from ssd_core.data.training_stream import training_batches
from ssd_core.spec.detector import DetectorSpec, Scale, Source, Vgg16
from ssd_core.spec.recipe import Recipe
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.weights import Weights, save_weights
from stages.datasets.voc import VocFolder
from stages.detection.detect import Detect
from stages.detection.table import DETECTIONS, SCHEMA
from stages.drawn.vocabulary import CLASSES
from stages.evaluation.evaluate import Evaluate
from stages.evaluation.evaluate_coco import EvaluateCoco
from stages.shards.shard import Shard

FEWEST, MOST = 50, 200
"""Detections of an image."""


@dataclass(frozen=True, kw_only=True)
class Untrained(Stage):
    """A very small detector from a seed."""

    def run(self, ctx: Context) -> None:
        with ctx.out.open_output("weights.pt") as stream:
            save_weights(Weights(spec=smallest(), state=initial_detector(smallest(), 0).state_dict()), stream)


@dataclass(frozen=True, kw_only=True)
class Scattered(Stage):
    """Random detections, as many in an image as a trained detector gives."""

    shards: Stage

    def run(self, ctx: Context) -> None:
        shards = ctx.input(self.shards)
        ids = [image_id for _, image_id in ShardSet(shards.path, shards.filesystem).image_ids()]
        with ctx.out.open_output(DETECTIONS) as stream, pq.ParquetWriter(stream, SCHEMA) as writer:
            for start in range(0, len(ids), 5000):
                writer.write_table(_scattered(ids[start : start + 5000], np.random.default_rng(start)))


def smallest() -> DetectorSpec:
    """Return a detector with maps of 8 and 4 cells at input 64."""
    return DetectorSpec(
        input_size=64,
        classes=CLASSES,
        backbone=Vgg16(channels=(8, 8, 16, 16, 16), fc_channels=16, dilation=1),
        extras=(),
        sources=(
            Source(layer="conv4_3", step=8, scales=(Scale(size=13, next_size=26, ratios=(2,)),)),
            Source(layer="conv7", step=16, scales=(Scale(size=26, next_size=48, ratios=(2, 3)),)),
        ),
        norm_groups=4,
    )


def stages(images: int, place: Path) -> dict[str, Stage]:
    source = VocFolder(name="drawn", split="train", root=str(place / f"list-{images}"))
    shards = Shard(sources=(source,), classes=CLASSES)
    scattered = Scattered(shards=shards)
    return {
        "sharding": shards,
        "detection": Detect(weights=Untrained(), shards=shards),
        "scattered": scattered,
        "VOC": Evaluate(detections=scattered, shards=shards),
        "COCO": EvaluateCoco(detections=scattered, shards=shards),
    }


def reads(shards: str) -> None:
    rows = ShardSet(shards)
    recipe = replace(Recipe(spec=smallest()), batch_size=32)
    for _ in training_batches(rows, recipe, stop=len(rows) // recipe.batch_size):
        pass


def main() -> None:
    step, images, place = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    made = stages(images, place)
    if step == "reads":
        shards = _result(made["sharding"], place)
        used = _measured(lambda: reads(shards))
    else:
        used = _measured(lambda: _result(made[step], place))
    print(json.dumps(used))


def _measured(work: Callable[[], object]) -> Mapping[str, float]:
    """Cost of `work` alone, and the largest memory that it allocated beyond the modules'."""
    before, peak, is_done = _megabytes("RssAnon"), [0.0], threading.Event()

    def sample() -> None:
        while not is_done.wait(0.02):
            peak[0] = max(peak[0], _megabytes("RssAnon"))

    sampler = threading.Thread(target=sample)
    sampler.start()
    began, cpu = time.perf_counter(), time.process_time()
    try:
        work()
    finally:
        is_done.set()
        sampler.join()
    return {
        "seconds": time.perf_counter() - began,
        "CPU seconds": time.process_time() - cpu,
        "allocated MB": peak[0] - before,
        "resident MB": _megabytes("VmHWM"),
    }


def _megabytes(name: str) -> float:
    """RssAnon: allocated memory that is resident; VmHWM: the peak of everything, files mapped into memory included."""
    lines = Path(f"/proc/{os.getpid()}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


def _result(stage: Stage, place: Path) -> str:
    store, graph = Store.open(str(place / "store")), Graph([stage])
    result = Scheduler(graph, store, InlineExecutor(), Resolver(graph), run_id=f"run-{time.time_ns()}").run()
    result.raise_for_failures()
    manifest = result.outcomes[graph.targets[0]].manifest
    assert manifest is not None, "a run without failures has a result"
    folder: Folder = store.output(manifest)
    return folder.path


def _scattered(ids: list[str], rng: np.random.Generator) -> pa.Table:
    counts = rng.integers(FEWEST, MOST, len(ids), endpoint=True)
    total = int(counts.sum())
    corners = rng.uniform(1, 60, (total, 2)).astype(np.float32)
    boxes = np.hstack([corners, corners + rng.uniform(10, 60, (total, 2)).astype(np.float32)])
    columns = [
        pa.array(ids, pa.string()).take(pa.array(np.repeat(np.arange(len(ids)), counts))),
        rng.integers(0, len(CLASSES), total, dtype=np.int32),
        rng.beta(0.3, 3, total).astype(np.float32),
        *boxes.T,
    ]
    return pa.Table.from_arrays([pa.array(column) for column in columns], schema=SCHEMA)
