"""`ssdpipe plan`: what `run` would do, why, and at what cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli.requests.planning import PlanRequest
from experiments.cli.requests.until_decided import UntilDecidedOptions
from experiments.cli.shared.budget import Budget
from experiments.cli.shared.options import StorePlace

if TYPE_CHECKING:
    from experiments.cli.claims.planned_course import PlannedCourse
    from experiments.cli.requests.request import SetupRequest
    from pipeline.planning.graph import Graph
    from pipeline.planning.plan import PlanRow
    from pipeline.store.store import Store
    from stages.cost.cost import StageCost

HEAD = ("stage", "state", "time", "reason")


def plan(
    planned_for: PlanRequest,
    place: StorePlace,
    deciding: UntilDecidedOptions,
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
    each claim needs; with --until-decided, the next step of such a run, and the least and the most that it will train.
    Changes nothing. With --gpus N the cost is estimated for N GPUs, whether or not this machine has them.
    """
    import json

    from experiments.cli.claims.command import planned_power
    from experiments.cli.requests import ExperimentRequest
    from experiments.cli.shared.cost_text import cost_lines, plan_json
    from experiments.cli.shared.placing import planned_resources
    from pipeline.planning.graph import Graph
    from pipeline.planning.plan import plan as planned
    from pipeline.planning.resolver import Resolver
    from pipeline.store.store import Store
    from stages.cost.cost import cost

    request, store = planned_for.meant(), Store.open(place.store)
    request, course = _with_seeds_by_need(request, deciding, store)
    graph = Graph(request.targets(request.placement()))
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
    bounds = course(strict_env, tflops) if course else None
    if as_json:
        power = {"power": shown.to_json() if shown else None}
        until_decided = {"until_decided": bounds.to_json()} if bounds else {}
        print(json.dumps(plan_json(rows, costs) | power | until_decided, indent=1))
    else:
        print(plan_table(rows, by_address))
        print(_totals(rows), cost_lines(costs, tflops), sep="\n")
        if bounds:
            print(bounds.line())
        if shown:
            print("\n".join(shown.lines()))
    for error in list(resolver.missing.values())[:1]:
        raise error


def _with_seeds_by_need(
    request: SetupRequest, deciding: UntilDecidedOptions, store: Store
) -> tuple[SetupRequest, Callable[[bool, float | None], PlannedCourse] | None]:
    """With --until-decided: the request of the next step, and what computes the least and the most."""
    from experiments.cli.claims.planned_course import next_step, planned_course
    from experiments.cli.requests import ExperimentRequest
    from pipeline.errors import PipelineError

    seeds = request.seeds if isinstance(request, ExperimentRequest) else 1
    if (limit := deciding.limit(seeds)) is None:
        return request, None
    if not isinstance(request, ExperimentRequest):
        raise PipelineError(f"{request.name} is a recipe, which has no claims: --until-decided is for experiments")
    budget = Budget.of(deciding.budget).seconds
    step, now = next_step(replace(request, until_decided=limit), store)
    return step, lambda strict_env, tflops: planned_course(
        step, now, store, strict_env=strict_env, tflops=tflops, budget=budget
    )


def plan_table(rows: Sequence[PlanRow], costs: Mapping[str, StageCost]) -> str:
    """The rows in columns. On a narrow terminal only the number of stages that one waits for is stated; where long
    addresses leave no room for reasons, these stand below the first row that has them.
    """
    from experiments.cli.shared.printing import NARROWEST, columns, text_width

    room, states = text_width(), {row.node.id: row.state for row in rows}
    cells = [(row.address, row.state, _time(row, costs)) for row in rows]
    left = sum(max(map(len, column)) + 2 for column in zip(*cells, strict=True))
    if room and left + NARROWEST > room:
        return "\n".join(_with_reasons_below(rows, cells, room))
    is_wide = room and left + max(len(row.reason) for row in rows) > room
    reasons = (_brief(row, states) if is_wide else row.reason for row in rows)
    return columns([HEAD, *((*cell, reason) for cell, reason in zip(cells, reasons, strict=True))])


def _with_reasons_below(rows: Sequence[PlanRow], cells: Sequence[tuple[str, str, str]], room: int) -> Iterator[str]:
    """Lines of the rows; each reason, besides waiting for others, below the first row that has it."""
    from experiments.cli.shared.printing import wrapped

    _, state_width, time_width = (max(map(len, column)) for column in zip(HEAD[:3], *cells, strict=True))
    width, known = room - state_width - time_width - 4, {""}
    yield f"{HEAD[0]:{width}}  {HEAD[1]:{state_width}}  {HEAD[2]}"
    for row, (address, state, time) in zip(rows, cells, strict=True):
        if len(address) > width:
            yield address
        yield f"{address if len(address) <= width else '':{width}}  {state:{state_width}}  {time}".rstrip()
        if row.state != "after" and row.reason not in known:
            known.add(row.reason)
            yield wrapped(row.reason, "    ")


def _brief(row: PlanRow, states: Mapping[str, str]) -> str:
    """The reason, or how many stages it waits for."""
    waits_for = sum(states[above] != "cached" for above in set(row.node.inputs.values()))
    return f"{waits_for} stages" if row.state == "after" and waits_for > 1 else row.reason


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
