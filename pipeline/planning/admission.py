"""Which stages may run at once: those whose CPUs, GPUs and controllers together fit a budget."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from pipeline.errors import PipelineError
from pipeline.planning.graph import Node
from pipeline.stage import Resources

ROUNDING = 1e-6
"""Tolerance for sums of fractions: ten times 0.1 GPU is one GPU."""


NO_LIMIT = 10**6
"""Number of workers that fit where they need nothing."""


class Budget:
    """CPUs, GPUs and controllers that remain of a total; a nested stage takes one controller."""

    def __init__(self, total: Resources, capacity: Resources | None = None, controllers: float = math.inf) -> None:
        """`capacity` is that of the whole cluster, by default the total."""
        self.total = total
        self._is_whole = capacity is None or total.cpus >= capacity.cpus
        self._controllers = controllers
        self._cpus = total.cpus
        self._gpus = total.gpus

    def take(self, requested: Resources) -> bool:
        """Take what a stage requests and return True, or take nothing when too little remains."""
        if requested.cpus > self._cpus + ROUNDING or requested.gpus > self._gpus + ROUNDING:
            return False
        if requested.nested and self._controllers < 1:
            return False
        self._controllers -= requested.nested
        self._cpus -= requested.cpus
        self._gpus -= requested.gpus
        return True

    def give_back(self, taken: Resources) -> None:
        self._cpus += taken.cpus
        self._gpus += taken.gpus
        self._controllers += taken.nested

    def extended(self, taken: Resources) -> Resources:
        """Let a stage whose tasks can use free CPUs take half of them as well: others may start, too.

        Not needed where the total is the whole cluster, on which Ray itself distributes tasks.
        """
        spare = self._cpus // 2 if taken.spreads and not self._is_whole else 0
        self._cpus -= spare
        return replace(taken, cpus=taken.cpus + spare)

    def share(self, taken: Resources) -> Resources:
        """The most that the tasks of a stage may use at once: what it took; any CPU where Ray alone sets the limit."""
        return Resources(cpus=max(taken.cpus, self.total.cpus) if self._is_whole else taken.cpus, gpus=taken.gpus)

    def fitted(self, requested: Resources) -> Resources:
        """The request with as many of its workers as the total has room for, but at least those that it needs."""
        if requested.workers == 1:
            return requested
        needed = requested.at_least()
        fitting = workers_on(requested.worker, [self.total])
        return requested.with_workers(min(requested.workers, max(needed.workers, fitting)))

    def grow(self, total: Resources) -> None:
        """Add what has joined a cluster. What left it stays counted: Ray queues what does not fit."""
        total = Resources(cpus=max(total.cpus, self.total.cpus), gpus=max(total.gpus, self.total.gpus))
        self.give_back(Resources(cpus=total.cpus - self.total.cpus, gpus=total.gpus - self.total.gpus))
        self.total = total


def workers_on(worker: Resources, nodes: Iterable[Resources]) -> int:
    """How many equal workers fit on nodes, none of which a worker can straddle."""
    return sum(_count(worker, node) for node in nodes)


def _count(worker: Resources, node: Resources) -> int:
    pairs = ((worker.cpus, node.cpus), (worker.gpus, node.gpus))
    counts = [int((there + ROUNDING) / wanted) for wanted, there in pairs if wanted and there != math.inf]
    return min(counts, default=NO_LIMIT)


def refuse_oversized(nodes: Iterable[Node], total: Resources) -> None:
    """Raise PipelineError for a stage that could never start and would wait forever."""
    for node in nodes:
        requested = node.stage.resources.at_least()
        for name, wanted, there in (("GPUs", requested.gpus, total.gpus), ("CPUs", requested.cpus, total.cpus)):
            if wanted > there + ROUNDING:
                raise PipelineError(
                    f"{node.address} asks for {wanted:g} {name}, but there are {there:g} in all: "
                    f"ask for at most {there:g}, or connect to a larger cluster"
                )


def refuse_unplaceable(nodes: Iterable[Node], cluster: tuple[Resources, ...]) -> None:
    """Raise PipelineError for a stage whose workers do not fit on the nodes of a cluster, although their sum may."""
    for node in nodes:
        requested = node.stage.resources
        needed, fitting = requested.at_least(), workers_on(requested.worker, cluster)
        if fitting < needed.workers:
            raise PipelineError(
                f"{node.address} asks for {shown(needed)}, but there is room for {fitting}: each worker must fit on "
                f"one node, and the nodes have {', '.join(map(shown, _grouped(cluster)))}. Ask for fewer CPUs per "
                f"worker with --cpus-per-worker, for {fitting} workers at most, or connect to a larger cluster"
            )


def shown(resources: Resources) -> str:
    """Resources by worker: 2 x {8 CPU, 1 GPU}."""
    worker = resources.worker
    gpus = f", {worker.gpus:g} GPU" if worker.gpus else ""
    return f"{resources.workers} x {{{worker.cpus:g} CPU{gpus}}}"


def _grouped(nodes: Iterable[Resources]) -> list[Resources]:
    """Equal nodes as one entry."""
    equal = Counter((node.cpus, node.gpus) for node in nodes if node.cpus or node.gpus)
    return [Resources(cpus=cpus * count, gpus=gpus * count, workers=count) for (cpus, gpus), count in equal.items()]
