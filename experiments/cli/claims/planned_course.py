"""`ssdpipe plan --until-decided`: the least and the most that the run will train.

Tested in tests/experiments/cli/claims/test_until_decided.py.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from experiments.cli.claims.cases import replayed
from experiments.cli.claims.until_decided import allocated
from experiments.cli.requests import ExperimentRequest
from experiments.cli.shared.placing import planned_resources
from experiments.cli.shared.printing import duration, wrapped
from experiments.framework.claims.course import Course
from pipeline.planning.graph import Graph
from pipeline.planning.plan import plan
from pipeline.planning.resolver import Resolver
from stages.cost.cost import cost

if TYPE_CHECKING:
    from pipeline.store.store import Store


@dataclass(frozen=True, kw_only=True)
class Amount:
    """Trainings that are not cached, and the wall time of all stages that are not."""

    trainings: int
    wall_seconds: float


@dataclass(frozen=True, kw_only=True)
class PlannedCourse:
    """How far a run until decided can be from its end."""

    least: Amount
    most: Amount
    max_seeds: int
    next_seeds: int
    open_claims: int
    budget: float | None = None
    """Seconds."""

    def line(self) -> str:
        if not self.open_claims:
            return wrapped("no claim is open, so that no seeds are added", "until decided: ")
        text = (
            f"at least {_trainings(self.least)}, if the look at {self.next_seeds} seeds ends every open claim "
            f"({self.open_claims}); at most {_trainings(self.most)}, with {self.max_seeds} seeds of each of their rows"
        )
        if self.budget is not None and self.least.wall_seconds > self.budget:
            text += f"; the next step does not fit into a budget of {duration(self.budget)}"
        return wrapped(text, "until decided: ")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def next_step(request: ExperimentRequest, store: Store) -> tuple[ExperimentRequest, Course]:
    """The request of the next look, and the course so far."""
    now = replayed(request, store)
    return allocated(request, now), now


def planned_course(
    step: ExperimentRequest, now: Course, store: Store, *, strict_env: bool, tflops: float | None, budget: float | None
) -> PlannedCourse:
    assert step.until_decided
    most = step.until_decided.max_seeds
    longest = allocated(step, replace(now, next_seeds=most) if now.waiting else now)
    return PlannedCourse(
        least=_amount(step, store, strict_env, tflops),
        most=_amount(longest, store, strict_env, tflops),
        max_seeds=most,
        next_seeds=now.next_seeds,
        open_claims=len(now.waiting),
        budget=budget,
    )


def _amount(request: ExperimentRequest, store: Store, strict_env: bool, tflops: float | None) -> Amount:
    graph = Graph(request.targets(request.placement()))
    rows = plan(graph, store, Resolver(graph, strict_env=strict_env, missing_allowed=True))
    costs = cost(graph, rows, store, planned_resources(gpus=request.gpus), tflops)
    trainings = sum(stage.kind == "train" for stage in costs.stages)
    return Amount(trainings=trainings, wall_seconds=next(iter(costs.wall_seconds.values()), 0.0))


def _trainings(amount: Amount) -> str:
    return f"{amount.trainings} training{'' if amount.trainings == 1 else 's'} ({duration(amount.wall_seconds)})"
