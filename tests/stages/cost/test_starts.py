"""What `--in-process` would save, from the curves of past trainings."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.execution.executor import InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.store.store import Store
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule
from stages.cost.starts import ASSUMED_SECONDS, starts
from stages.datasets.voc import VocFolder
from stages.drawn.draw import Draw
from stages.shards.shard import Shard
from stages.training.train import Train

if TYPE_CHECKING:
    from pathlib import Path

    from ssd_core.spec.detector import DetectorSpec


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(str(tmp_path / "store"))


def training(spec: DetectorSpec, **changes: Any) -> Train:
    source = VocFolder(name="drawn", split="train", within=Draw(train=8, test=4, sides=(64, 96)))
    recipe = Recipe(spec=spec, batch_size=2, schedule=Schedule(iterations=3, base_lr=1e-4, drops=()))
    return Train(recipe=recipe, shards=Shard(sources=(source,), variant="train"), log_steps=1, **changes)


def test_trainings_on_gpus_several_workers_or_in_process_save_nothing(store, small_spec):
    one = training(small_spec)
    others = [replace(one, workers=2), replace(one, workers=0), replace(one, use_gpu=True), one.shards]
    assert starts(others, store).trainings == 0
    assert starts([one, one], store).trainings == 2


def test_without_past_runs_the_measured_seconds_of_this_project_are_assumed(store, small_spec):
    assumed = ASSUMED_SECONDS["ray train"] - ASSUMED_SECONDS["in process"]
    assert starts([training(small_spec)], store).seconds == assumed > 0


def test_past_runs_show_the_seconds_from_the_start_of_a_stage_to_its_first_step(store, small_spec):
    done = training(small_spec, workers=0)
    graph = Graph([done])
    Scheduler(graph, store, InlineExecutor(), Resolver(graph), run_id="r").run().raise_for_failures()
    (manifest,) = [each for each in store.manifests() if each.address.startswith("train")]
    _rewrite(store, manifest.key, {"curve": [(1, 104.0), (3, 106.0)], "finished": 110.0, "seconds": 11.0})
    # the stage began at 99, a step takes 1 second, so the first one began at 103
    assert starts([training(small_spec)], store).seconds == pytest.approx(ASSUMED_SECONDS["ray train"] - 4)


def _rewrite(store: Store, key: str, values: dict[str, Any]) -> None:
    """Give a result other times."""
    path = f"keys/{key}.json"
    manifest = json.loads(store.folder.read_bytes(path))
    curve = [{"step": step, "time": time, "values": {}} for step, time in values.pop("curve")]
    lines = "".join(f"{json.dumps(point)}\n" for point in curve)
    store.folder.write_bytes(f"objects/{key}/{manifest['attempt']}/metrics.jsonl", lines.encode())
    store.folder.replace(path, json.dumps(manifest | values).encode())
