"""What would run, and why."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from pipeline.errors import PipelineError
from pipeline.execution.executor import InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.keys.code_digest import CodeReader
from pipeline.planning import resolver
from pipeline.planning.graph import Graph
from pipeline.planning.plan import plan, why
from pipeline.planning.resolver import Resolver
from pipeline.stage import Stage
from pipeline.store.record import append_point, write_progress
from pipeline.store.store import Store


@dataclass(frozen=True, kw_only=True)
class Schedule:
    base_lr: float = 0.001
    warmup: int = 0


@dataclass(frozen=True, kw_only=True)
class Shard(Stage):
    split: str = "train"
    text: str = "data"

    def external_digest(self) -> str:
        if OUTSIDE.get(self.split) == "gone":
            raise PipelineError(f"no data set {self.split}\nlooked everywhere")
        return OUTSIDE.get(self.split, "")

    def run(self, ctx: Any) -> None:
        ctx.out.write_bytes("shard", self.text.encode())


@dataclass(frozen=True, kw_only=True)
class Train(Stage):
    data: Shard
    schedule: Schedule = Schedule()

    def run(self, ctx: Any) -> None:
        ctx.out.write_bytes("weights", b"")


@dataclass(frozen=True, kw_only=True)
class Evaluate(Stage):
    training: Train
    data: Shard

    def run(self, ctx: Any) -> None:
        ctx.out.write_bytes("numbers", b"")


OUTSIDE: dict[str, str] = {}
"""Digests of external data, by split."""


@pytest.fixture
def store(tmp_path) -> Store:
    return Store.open(str(tmp_path / "store"))


def target(*, schedule: Schedule = Schedule(), text: str = "data") -> Evaluate:
    train, test = Shard(variant="train", text=text), Shard(split="test", variant="test")
    return Evaluate(training=Train(data=train, schedule=schedule, variant="full"), data=test)


def run(store: Store, stage: Stage) -> None:
    graph = Graph([stage])
    Scheduler(graph, store, InlineExecutor(), Resolver(graph), run_id="r").run().raise_for_failures()


def rows(store: Store, stage: Stage, **options: Any) -> dict[str, tuple[str, str]]:
    graph = Graph([stage])
    return {row.address: (row.state, row.reason) for row in plan(graph, store, Resolver(graph, **options))}


def reasons(store: Store, stage: Stage, address: str) -> list[str]:
    graph = Graph([stage])
    return why(graph, store, Resolver(graph), address)


def test_a_plan_on_a_store_that_does_not_exist_creates_nothing(store, tmp_path):
    assert rows(store, target()) == {
        "shard/train": ("run", "never run"),
        "train/full": ("after", "after shard/train"),
        "shard/test": ("run", "never run"),
        "evaluate": ("after", "after train/full and 1 more"),
    }
    assert list(tmp_path.iterdir()) == []


def test_after_a_run_all_is_cached(store):
    run(store, target())
    assert {state for state, _ in rows(store, target()).values()} == {"cached"}


def test_a_changed_field_is_named_with_both_values_also_when_one_is_the_default(store):
    run(store, target())
    changed = target(schedule=Schedule(base_lr=0.0005))
    planned = rows(store, changed)
    assert planned["train/full"] == ("run", "schedule.base_lr: 0.001 → 0.0005")
    assert planned["shard/train"] == ("cached", "")
    assert planned["evaluate"] == ("after", "after train/full")


def test_several_changes_are_counted_in_the_plan_and_listed_by_why(store):
    run(store, target())
    changed = target(schedule=Schedule(base_lr=0.0005, warmup=100))
    assert rows(store, changed)["train/full"][1] == "schedule.base_lr: 0.001 → 0.0005 (and 1 more)"
    assert reasons(store, changed, "train/full") == [
        "schedule.base_lr: 0.001 → 0.0005",
        "schedule.warmup: 0 → 100",
    ]


def test_a_changed_input_is_named_once_it_is_recomputed(store):
    run(store, target())
    changed = target(text="other")
    assert rows(store, changed)["train/full"] == ("after", "after shard/train")
    assert reasons(store, changed, "train/full") == ["after shard/train", "nothing else changed"]
    run(store, changed.training.data)
    assert rows(store, changed)["train/full"] == ("run", "input shard/train changed")


def test_a_changed_data_set_is_named(store, monkeypatch):
    run(store, target())
    monkeypatch.setitem(OUTSIDE, "test", "new images")
    assert rows(store, target())["shard/test"] == ("run", "data set changed")


def test_a_missing_data_set_is_refused_or_reported_on_request(store, monkeypatch):
    run(store, target())
    monkeypatch.setitem(OUTSIDE, "test", "gone")
    with pytest.raises(PipelineError, match="no data set test"):
        rows(store, target())
    planned = rows(store, target(), missing_allowed=True)
    assert planned["shard/test"] == ("missing", "no data set test")
    assert planned["evaluate"] == ("after", "after shard/test")
    assert planned["train/full"] == ("cached", "")


def test_a_changed_function_is_named(store, monkeypatch):
    run(store, target())
    real = CodeReader.code_of

    def edited(reader: CodeReader, classes: Iterable[type]) -> Any:
        code = real(reader, classes)
        return {module: {**definitions, "Shard.run": "changed"} for module, definitions in code.items()}

    monkeypatch.setattr(CodeReader, "code_of", edited)
    assert rows(store, target())["shard/train"] == ("run", f"{__name__}: Shard.run changed")


def test_a_raised_version_is_named(store, monkeypatch):
    run(store, target())
    monkeypatch.setattr(Train, "version", 2)
    assert rows(store, target())["train/full"] == ("run", "version: 1 → 2")


def test_library_versions_count_on_request(store, monkeypatch):
    run(store, target())
    assert rows(store, target())["shard/train"][0] == "cached"
    monkeypatch.setattr(resolver, "library_versions", lambda: {"torch": "2.15"})
    state, reason = rows(store, target(), strict_env=True)["shard/train"]
    assert (state, reason) == ("run", "library torch: (not counted) → 2.15")


def test_a_key_with_a_checkpoint_is_resumed(store):
    run(store, target().training.data)
    graph = Graph([target()])
    key = next(row.key for row in plan(graph, store, Resolver(graph)) if row.address == "train/full")
    work = store.work(key)
    write_progress(work, 86_000, 120_000, "loss 3.1")
    append_point(work, 86_000, {"loss": 3.1})
    assert rows(store, target())["train/full"] == ("run", "never run")
    work.write_bytes("checkpoints/85000", b"")
    assert rows(store, target())["train/full"] == ("resume", "step 86,000 of 120,000")
    assert reasons(store, target(), "train/full") == ["step 86,000 of 120,000", "no result of train/full in this store"]


def test_why_says_that_a_cached_stage_does_not_run(store):
    run(store, target())
    (line,) = reasons(store, target(), "train/full")
    assert line.startswith("train/full is cached under ")
    assert reasons(store, target(), line.rpartition(" ")[2][:10]) == [line]
    with pytest.raises(PipelineError, match="did you mean 'train/full'"):
        reasons(store, target(), "train/ful")


def test_missing_files_of_a_result_are_a_reason(store):
    run(store, target())
    (store.folder / "objects").delete()
    assert rows(store, target())["shard/train"][0] == "run"
    assert re.fullmatch(r"its file \S+ is missing", rows(store, target())["shard/train"][1])


def test_a_result_with_a_cut_file_is_computed_again_and_whole_afterwards(store):
    run(store, target())
    (manifest,) = (each for each in store.manifests() if each.address == "shard/train")
    file = manifest.files[0]
    store.output(manifest).write_bytes(file.path, b"")
    assert rows(store, target())["shard/train"] == (
        "run", f"its file {file.path} has 0 bytes instead of {file.size:,}",
    )  # fmt: skip
    run(store, target())
    assert {state for state, _ in rows(store, target()).values()} == {"cached"}


def test_two_hundred_cached_stages_are_planned_well_below_two_seconds(store):
    stages = tuple(Shard(split=f"s{index}", variant=f"s{index}") for index in range(200))
    graph = Graph(stages)
    Scheduler(graph, store, InlineExecutor(), Resolver(graph), run_id="r").run()
    began = time.process_time()
    graph = Graph([replace(stage) for stage in stages])
    planned = plan(graph, store, Resolver(graph))
    assert time.process_time() - began < 1.0
    assert {row.state for row in planned} == {"cached"}


def test_planning_imports_neither_torch_nor_ray_nor_mlflow():
    code = (
        "import sys, pipeline.planning.plan, pipeline.execution.scheduler;"
        "print({'torch', 'ray', 'mlflow', 'cv2'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "set()"
