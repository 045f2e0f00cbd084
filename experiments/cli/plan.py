"""`ssdpipe plan`: what `run` would do, why, and at what cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli.requests.planning import PlanRequest
from experiments.cli.shared.options import StorePlace

if TYPE_CHECKING:
    from pipeline.planning.graph import Graph
    from pipeline.planning.plan import PlanRow
    from stages.cost.cost import StageCost


def plan(
    planned_for: PlanRequest,
    place: StorePlace,
    strict_env: Annotated[
        bool,
        typer.Option(
            "--strict-env", help="Ignore results made with other library versions, as `run --strict-env` does."
        ),
    ] = False,
    tflops: Annotated[
        float | None,
        typer.Option(min=1e-6, help="Assumed TFLOP/s of one GPU or core, instead of the rate measured in past runs."),
    ] = None,
    mermaid: Annotated[
        bool, typer.Option("--mermaid", help="Print the graph as a Mermaid flow chart instead.")
    ] = False,
    svg: Annotated[str, typer.Option(metavar="FILE", help="Also write the graph as an SVG picture.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
) -> None:
    """Show what `run` or `train` would do, why, and at what cost.

    Takes the name and the options of either. Each stage is cached, run (not cached yet), resume, after (it waits for
    another stage) or missing (it lacks its data set). Also says which change that many --seeds would find, and how many
    each claim needs. Changes nothing. With --gpus N the cost is estimated for N GPUs, whether or not this machine has
    them.
    """
    import json

    from experiments.cli.claims.command import planned_power
    from experiments.cli.requests import ExperimentRequest
    from experiments.cli.shared.cost_text import cost_lines, plan_json
    from experiments.cli.shared.placing import planned_resources
    from experiments.cli.shared.printing import columns
    from pipeline.planning.graph import Graph
    from pipeline.planning.plan import plan as planned
    from pipeline.planning.resolver import Resolver
    from pipeline.store.store import Store
    from stages.cost.cost import cost

    request = planned_for.meant()
    graph, store = Graph(request.targets(request.placement())), Store.open(place.store)
    resolver = Resolver(graph, strict_env=strict_env, missing_allowed=True)
    rows = planned(graph, store, resolver)
    if mermaid:
        print(graph.mermaid({row.address: row.state for row in rows}), end="")
        return
    costs = cost(graph, rows, store, planned_resources(gpus=request.gpus), tflops)
    by_address = {stage.address: stage for stage in costs.stages}
    if svg:
        _write_picture(svg, graph, rows, by_address, request.name)
    shown = None
    if isinstance(request, ExperimentRequest) and costs.stages:
        shown = planned_power(request, rows, store, request.placement())
    if as_json:
        print(json.dumps(plan_json(rows, costs) | {"power": shown.to_json() if shown else None}, indent=1))
    else:
        print(columns([("stage", "state", "time", "reason"), *(_cells(row, by_address) for row in rows)]))
        print(_totals(rows), cost_lines(costs, tflops), sep="\n")
        if shown:
            print("\n".join(shown.lines()))
    for error in list(resolver.missing.values())[:1]:
        raise error


def _cells(row: PlanRow, costs: Mapping[str, StageCost]) -> tuple[str, str, str, str]:
    return row.address, row.state, _time(row, costs), row.reason


def _time(row: PlanRow, costs: Mapping[str, StageCost]) -> str:
    """How long a cached stage took, or the estimate for one to run; empty when unknown."""
    from experiments.cli.shared.cost_text import about
    from experiments.cli.shared.printing import duration

    if row.state == "cached":
        return duration(row.seconds or 0)
    return about(costs[row.address])


def _totals(rows: Sequence[PlanRow]) -> str:
    counts = Counter(row.state for row in rows)
    return f"{len(rows)} stages: " + ", ".join(f"{count} {state}" for state, count in counts.items())


def _write_picture(
    file: str, graph: Graph, rows: Sequence[PlanRow], costs: Mapping[str, StageCost], title: str
) -> None:
    from pathlib import Path

    from pipeline.display.graph_svg import graph_svg

    states, notes = {row.address: row.state for row in rows}, {row.address: _time(row, costs) for row in rows}
    Path(file).write_text(graph_svg(graph, title=title, states=states, notes=notes), encoding="utf-8")
