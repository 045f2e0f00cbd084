"""After a driver is killed, the same command finishes the run, and nothing that was committed runs again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.store.events import fold, read_events
from pipeline.store.store import Store

DRIVER = """
import os, sys
from dataclasses import dataclass
from pipeline.store.events import EventLog
from pipeline.execution.executor import InlineExecutor
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.execution.scheduler import Scheduler
from pipeline.stage import Stage
from pipeline.store.store import Store

@dataclass(frozen=True, kw_only=True)
class Step(Stage):
    number: int
    above: tuple[Stage, ...] = ()

    def run(self, ctx):
        print("ran", self.number, flush=True)
        if ctx.work.exists("half"):
            ctx.out.write_json("number.json", self.number + ctx.work.read_json("half"))
            return
        ctx.work.write_json("half", 100)
        if self.number == int(sys.argv[2]):
            ctx.out.write_bytes("torn", b"to")
            os._exit(9)
        ctx.out.write_json("number.json", self.number + 100)

stage = Step(number=0)
for number in (1, 2):
    stage = Step(number=number, above=(stage,))
graph = Graph([stage])
store = Store.open(sys.argv[1])
result = Scheduler(
    graph, store, InlineExecutor(), Resolver(graph), run_id=sys.argv[3], observers=[EventLog(store.run(sys.argv[3]))]
).run()
last = result.outcomes[graph.targets[0]].manifest
print("result", store.output(last).read_json("number.json"), [file.path for file in last.files])
"""


@pytest.fixture
def drive(tmp_path):
    (tmp_path / "driver.py").write_text(DRIVER)

    def run(die_at: int, run_id: str) -> tuple[int, list[str]]:
        command = [sys.executable, str(tmp_path / "driver.py"), str(tmp_path / "store"), str(die_at), run_id]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        return done.returncode, done.stdout.splitlines()

    return run


def test_a_killed_driver_is_finished_by_the_same_command_from_where_its_stage_was(drive, tmp_path):
    assert drive(1, "first") == (9, ["ran 0", "ran 1"])
    state = fold(read_events(Store.open(str(tmp_path / "store")).run("first")))
    assert state.is_dead
    assert sorted(node.state for node in state.nodes.values()) == ["committed", "planned", "running"]
    assert drive(-1, "second") == (0, ["ran 1", "ran 2", "result 102 ['number.json']"])
    assert drive(-1, "third") == (0, ["result 102 ['number.json']"])
    assert not any(Path(tmp_path, "store/work").iterdir())
