"""Rounds of a search: the trainings of each are run like any others, as far as they are not cached.

Tested in tests/experiments/cli/search/test_bisect.py.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli.requests import Request
from experiments.cli.shared.budget import Budget
from experiments.cli.shared.options import RunOptions

if TYPE_CHECKING:
    from pipeline.folder import Folder
    from pipeline.planning.plan import PlanRow
    from pipeline.stage import Stage
    from pipeline.store.store import Store

BudgetOption = Annotated[
    str,
    typer.Option(
        metavar="TIME", help="Start no round that is estimated to end later than this, such as 90m, 12h or 2d."
    ),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Show what the next round would train, and at what cost; train nothing.")
]


class OutOfBudget(Exception):
    """The next round would not fit into the budget; the message says what it would take."""


@dataclass
class Rounds:
    """Runs the rounds of one search, within the budget."""

    running: RunOptions
    budget: str = ""
    """Time such as 12h; empty for any."""

    gpus: int | None = None
    trained: int = 0
    """Number of trainings that were run."""

    _budget: Budget = field(init=False)

    def __post_init__(self) -> None:
        """Raises PipelineError for a budget that is not a time."""
        self._budget = Budget.of(self.budget)

    def results(
        self, request: Request, targets: Sequence[Stage], *, some_may_fail: bool = False
    ) -> dict[Stage, Folder]:
        """The result of each of these targets of the request; with `some_may_fail`, of those that have one.

        Raises OutOfBudget, and what running a graph raises.
        """
        from experiments.cli.requests.running import run_request
        from pipeline.errors import PipelineError, StageFailed

        store, rows = self._planned(targets)
        before = {row.key for row in rows if row.manifest}
        if any(row.manifest is None for row in rows):
            self._require_room(rows, store, targets)
            try:
                run_request(request, self.running)
            except PipelineError as error:
                store, rows = self._planned(targets)
                is_of_stage = type(error) in (PipelineError, StageFailed)
                if not (some_may_fail and is_of_stage and any(row.manifest and _is_scored(row) for row in rows)):
                    raise
                sys.stderr.write(f"{error}\n")
            store, rows = self._planned(targets)
        self.trained += sum(_is_training(row.address) and row.key not in before for row in rows if row.manifest)
        manifests = {row.node.stage: row.manifest for row in rows}
        found = {target: manifests[target] for target in targets}
        return {target: store.output(manifest) for target, manifest in found.items() if manifest}

    def _planned(self, targets: Sequence[Stage]) -> tuple[Store, list[PlanRow]]:
        from pipeline.planning.graph import Graph
        from pipeline.planning.plan import plan
        from pipeline.planning.resolver import Resolver
        from pipeline.store.store import Store

        graph, store = Graph(targets), Store.open(self.running.store)
        return store, plan(graph, store, Resolver(graph, strict_env=self.running.strict_env))

    def _require_room(self, rows: Sequence[PlanRow], store: Store, targets: Sequence[Stage]) -> None:
        from experiments.cli.shared.placing import planned_resources
        from pipeline.planning.graph import Graph
        from stages.cost.cost import cost

        if not self.budget:
            return
        estimate = cost(Graph(targets), rows, store, planned_resources(gpus=self.gpus))
        if refusal := self._budget.refusal(next(iter(estimate.wall_seconds.values()), 0.0)):
            raise OutOfBudget(f"before the next round: {refusal}; the same command continues")


def show_plan(request: Request, running: RunOptions, *, as_json: bool) -> None:
    """Print what the round would run, and its cost. Raises PipelineError for a data set that is missing."""
    import json

    from experiments.cli.plan import plan_table
    from experiments.cli.shared.cost_text import cost_lines, plan_json
    from experiments.cli.shared.placing import planned_resources
    from pipeline.planning.graph import Graph
    from pipeline.planning.plan import plan
    from pipeline.planning.resolver import Resolver
    from pipeline.store.store import Store
    from stages.cost.cost import cost

    graph, store = Graph(request.targets(request.placement())), Store.open(running.store)
    resolver = Resolver(graph, strict_env=running.strict_env, missing_allowed=True)
    rows = plan(graph, store, resolver)
    costs = cost(graph, rows, store, planned_resources(gpus=request.gpus))
    if as_json:
        print(json.dumps(plan_json(rows, costs), indent=1))
    else:
        print(plan_table(rows, {stage.address: stage for stage in costs.stages}))
        print(cost_lines(costs, None))
    for error in list(resolver.missing.values())[:1]:
        raise error


def _is_scored(row: PlanRow) -> bool:
    return row.address.startswith("evaluate")


def _is_training(address: str) -> bool:
    return address.startswith("train/")
