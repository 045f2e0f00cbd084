"""`ssdpipe run --until-decided`: looks at the claims, and seeds for the rows of those that are undecided.

Each step is an ordinary run of the experiment, with as many seeds for each row as the looks so far call for.

Tested in tests/experiments/cli/claims/test_until_decided.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from experiments.cli.claims.cases import replayed
from experiments.cli.claims.course_text import ending_lines, next_line, round_lines
from experiments.cli.requests import ExperimentRequest
from experiments.cli.requests.until_decided import seeds_by_row
from experiments.cli.shared.budget import Budget
from experiments.cli.shared.options import RunOptions
from experiments.cli.shared.placing import planned_resources
from experiments.framework.claims.course import Course
from pipeline.errors import PipelineError
from pipeline.planning.graph import Graph
from pipeline.planning.plan import PlanRow, plan
from pipeline.planning.resolver import Resolver
from stages.cost.cost import Cost, cost

if TYPE_CHECKING:
    from pipeline.store.store import Store

Train = Callable[[ExperimentRequest], None]


def add_seeds(request: ExperimentRequest, store: Store, running: RunOptions, budget: Budget, train: Train) -> None:
    """Alternate looks and trainings until no claim is open, or the next step does not fit into the budget.

    `train` runs a request. Raises PipelineError when it leaves no result that a look needs.
    """
    shown, before = 0, None
    while True:
        now = replayed(request, store)
        for each in now.rounds[shown:]:
            print("\n".join(round_lines(each)), flush=True)
        shown = len(now.rounds)
        step = allocated(request, now)
        rows, costs = planned_step(step, store, running)
        is_complete = all(row.state == "cached" for row in rows)
        if now.waiting and (is_complete or step == before):
            raise PipelineError("the last step left no result for the next look: a row of a claim has no number")
        if is_complete:
            break
        if refusal := budget.refusal(next(iter(costs.wall_seconds.values()), 0.0)):
            print(f"ended before the next step: {refusal}; the same command continues", flush=True)
            return
        if now.waiting:
            print(next_line(now), flush=True)
        train(step)
        before = step
    print("\n".join(ending_lines(now)), flush=True)


def allocated(request: ExperimentRequest, now: Course) -> ExperimentRequest:
    """The request with the number of seeds that each row needs for the next look, or has at the end."""
    assert request.until_decided
    return replace(request, until_decided=replace(request.until_decided, rows=seeds_by_row(now.seeds())))


def planned_step(step: ExperimentRequest, store: Store, running: RunOptions) -> tuple[list[PlanRow], Cost]:
    """The stages of a step, and the cost of those that are not cached."""
    graph = Graph(step.targets(step.placement()))
    rows = plan(graph, store, Resolver(graph, strict_env=running.strict_env))
    total = planned_resources(gpus=step.gpus)
    if running.cpus and not total.gpus:
        total = replace(total, cpus=min(running.cpus, total.cpus))
    return rows, cost(graph, rows, store, total)
