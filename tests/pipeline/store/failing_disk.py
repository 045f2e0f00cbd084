"""Runs three small stages with a disk that fails from the n-th change of a file on, for every n; then runs them again.

    LD_PRELOAD=failing_disk.so python failing_disk.py FOLDER ERRNO ONCE

Prints one JSON line: the number of changes, and what went wrong.
"""

from __future__ import annotations

import ctypes
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch

from pipeline.errors import StoreFault
from pipeline.execution.executor import InlineExecutor
from pipeline.execution.outcome import Result
from pipeline.execution.scheduler import Scheduler
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.stage import Context, Stage
from pipeline.store.events import EventLog, new_run_id
from pipeline.store.store import Store
from ssd_core.training.checkpoint import CheckpointFolder


@dataclass(frozen=True, kw_only=True)
class Packs(Stage):
    def run(self, ctx: Context) -> None:
        pq.write_table(
            pa.table({"number": list(range(100))}), f"{ctx.out.path}/a.parquet", filesystem=ctx.out.filesystem
        )
        ctx.out.write_json("shards.json", {"rows": 100})


@dataclass(frozen=True, kw_only=True)
class Trains(Stage):
    shards: Stage

    def run(self, ctx: Context) -> None:
        table = pq.read_table(f"{ctx.input(self.shards).path}/a.parquet")
        module = torch.nn.Linear(2, 1)
        optimiser = torch.optim.SGD(module.parameters(), lr=1.0, momentum=0.5)
        folder = ctx.work / "checkpoints"
        checkpoints = CheckpointFolder(path=folder.path, filesystem=folder.filesystem)
        for step in range(checkpoints.newest_step() + 1, 5):
            ctx.record(step, {"loss": step})
            ctx.progress(step, 4)
            checkpoints.save(step, module, optimiser)
        ctx.out.write_json("weights.json", [checkpoints.newest_step(), table.num_rows])


@dataclass(frozen=True, kw_only=True)
class Tabulates(Stage):
    training: Stage

    def run(self, ctx: Context) -> None:
        ctx.out.write_bytes("table.md", ctx.input(self.training).read_bytes("weights.json"))


TARGET = Tabulates(training=Trains(shards=Packs()))


def run(place: Path) -> Result:
    graph, store = Graph([TARGET]), Store.open(str(place))
    name = new_run_id()
    observers = [EventLog(store.run(name))]
    return Scheduler(graph, store, InlineExecutor(), Resolver(graph), run_id=name, observers=observers).run()


def digests(place: Path) -> list[str]:
    return sorted(manifest.digest for manifest in Store.open(str(place)).manifests())


def main(folder: Path, number: int, once: int) -> None:
    disk = ctypes.CDLL(None)

    def arm(place: Path | str, after: int) -> None:
        disk.arm(str(place).encode(), after, number, once)

    arm(folder / "undisturbed", -1)
    run(folder / "undisturbed")
    changes, expected = disk.count(), digests(folder / "undisturbed")
    wrong: list[str] = []
    for after in range(changes):
        place = folder / str(after)
        arm(place, after)
        try:
            status, message = run(place).status, ""
        except StoreFault as fault:
            status, message = "fault", str(fault)
        except BaseException as error:
            status, message = "error", repr(error)
        arm("", -1)
        wrong += [f"{after}: {problem}" for problem in problems(place, status, message, expected)]
    print(json.dumps({"changes": changes, "wrong": wrong}))


def problems(place: Path, status: str, message: str, expected: list[str]) -> list[str]:
    """What is wrong after a run on a failing disk, and after the next run."""
    found = []
    if status != "fault" or f"the store {place} cannot be written: " not in message or "bytes are free" not in message:
        found.append(f"{status} {message}")
    found += [f"{file} is left" for file in place.rglob("*") if ".part" in file.name or ".probe" in file.name]
    kept = digests(place)
    if run(place).status != "finished" or digests(place) != expected or not set(kept) <= set(expected):
        found.append("the next run has another result")
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
