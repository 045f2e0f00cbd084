"""`ssdpipe plan`: what `run` would do, and why."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli.options import StorePlace
from experiments.cli.requests import ExperimentRequest

if TYPE_CHECKING:
    from pipeline.plan import PlanRow


def plan(
    request: ExperimentRequest,
    place: StorePlace,
    strict_env: Annotated[bool, typer.Option("--strict-env", help="As `run` takes it.")] = False,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="The graph as a Mermaid flow chart.")] = False,
) -> None:
    """Show what `run` would do, and why.

    Each stage is cached, to run, to resume, or after another that is to run. Nothing is changed.
    """
    from experiments.cli.printing import columns
    from pipeline.graph import Graph
    from pipeline.plan import plan as planned
    from pipeline.resolver import Resolver
    from pipeline.store import Store
    from stages.graphs import Placement

    graph = Graph(request.targets(Placement()))
    rows = planned(graph, Store.open(place.store), Resolver(graph, strict_env=strict_env))
    if mermaid:
        print(graph.mermaid({row.address: row.state for row in rows}), end="")
        return
    print(columns([("stage", "state", "time", "reason"), *(_cells(row) for row in rows)]))
    print(_totals(rows))


def _cells(row: PlanRow) -> tuple[str, str, str, str]:
    from pipeline.board import clock

    return row.address, row.state, clock(row.seconds) if row.seconds is not None else "", row.reason


def _totals(rows: list[PlanRow]) -> str:
    from pipeline.board import clock

    counts = Counter(row.state for row in rows)
    told = ", ".join(f"{count} {state}" for state, count in counts.items())
    known = [row.seconds for row in rows if row.state != "cached" and row.seconds is not None]
    missing = len(rows) - counts["cached"] - len(known)
    if not known:
        return f"{len(rows)} stages: {told}"
    rest = f", and {missing} that never ran" if missing else ""
    return f"{len(rows)} stages: {told}; by their last times {clock(sum(known))} of work{rest}"
