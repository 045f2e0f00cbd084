"""A driver of a small graph without Ray, as a process: prints the state and digest of each stage.

python -m tests.pipeline.execution.one_driver STORE NAME SHIFT
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass

from pipeline.execution.executor import InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.stage import Context, Stage
from pipeline.store.events import EventLog
from pipeline.store.store import Store


@dataclass(frozen=True, kw_only=True)
class Slow(Stage):
    """A stage of which no two attempts are alike."""

    number: int
    above: tuple[Stage, ...] = ()

    def run(self, ctx: Context) -> None:
        time.sleep(0.3)
        ctx.out.write_bytes("random", os.urandom(8))


def drive(place: str, name: str, shift: int) -> None:
    """Run five stages above a common one; drivers of another `shift` share some of them."""
    first = Slow(number=0, variant="0")
    graph = Graph([Slow(number=number, above=(first,), variant=str(number)) for number in range(1 + shift, 6 + shift)])
    store = Store.open(place)
    log = EventLog(store.run(name))
    result = Scheduler(graph, store, InlineExecutor(), Resolver(graph), run_id=name, observers=[log]).run()
    print(json.dumps({each.address: [each.state, each.manifest.digest] for each in result.outcomes.values()}))


if __name__ == "__main__":
    drive(sys.argv[1], sys.argv[2], int(sys.argv[3]))
