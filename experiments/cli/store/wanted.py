"""Which unfinished work a later run can resume, as far as the runs recorded in the store show.

Tested in tests/experiments/cli/store/test_gc.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.planning.plan import PlanRow
    from pipeline.store.store import Store


def wanted_keys(store: Store) -> Callable[[str], bool]:
    """Whether a recorded run, repeated now, would or could resume the work of a key; true where that is unknown.

    A run of your own file is not repeated, since a file that a store names is not executed: its work is kept.
    """
    from pipeline.store.lookup import recorded_requests, started_keys

    addresses = started_keys(store)
    decided: set[str] = set()
    undecided: set[str] = set()
    requests = {repr(request): (request, planned) for request, planned in recorded_requests(store)}
    for request, planned in requests.values():
        rows = list(_rows(request, store))
        decided |= {row.key for row in rows if row.key}
        undecided |= {row.address for row in rows if not row.key} or (set() if rows else {*planned})
    return lambda key: key in decided or key not in addresses or addresses[key] in undecided


def _rows(recorded: dict[str, Any], store: Store) -> Iterable[PlanRow]:
    """The plan of a recorded request; empty when it cannot be repeated here."""
    from experiments.cli.requests import ExperimentRequest, request_from
    from experiments.framework.loading import names_a_file
    from pipeline.errors import PipelineError
    from pipeline.planning.graph import Graph
    from pipeline.planning.plan import plan
    from pipeline.planning.resolver import Resolver
    from stages.placement import Placement

    try:
        request = request_from(recorded)
        if isinstance(request, ExperimentRequest) and names_a_file(request.experiment):
            return []
        graph = Graph(request.targets(Placement()))
        return plan(graph, store, Resolver(graph, missing_allowed=True))
    except PipelineError:  # such as an experiment or a weights file that no longer exists
        return []
