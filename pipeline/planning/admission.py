"""Which stages may run at once: those whose CPUs and GPUs together fit a budget."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.errors import PipelineError
from pipeline.planning.graph import Node
from pipeline.stage import Resources

ROUNDING = 1e-6
"""Tolerance for sums of fractions: ten times 0.1 GPU is one GPU."""


class Budget:
    """CPUs and GPUs that remain of a total."""

    def __init__(self, total: Resources) -> None:
        self.total = total
        self._cpus = total.cpus
        self._gpus = total.gpus

    def take(self, requested: Resources) -> bool:
        """Take what a stage requests and return True, or take nothing when too little remains."""
        if requested.cpus > self._cpus + ROUNDING or requested.gpus > self._gpus + ROUNDING:
            return False
        self._cpus -= requested.cpus
        self._gpus -= requested.gpus
        return True

    def give_back(self, taken: Resources) -> None:
        self._cpus += taken.cpus
        self._gpus += taken.gpus


def refuse_oversized(nodes: Iterable[Node], total: Resources) -> None:
    """Raise PipelineError for a stage that could never start and would wait forever."""
    for node in nodes:
        requested = node.stage.resources
        for name, wanted, there in (("GPUs", requested.gpus, total.gpus), ("CPUs", requested.cpus, total.cpus)):
            if wanted > there + ROUNDING:
                raise PipelineError(
                    f"{node.address} asks for {wanted:g} {name}, but there are {there:g} in all: "
                    f"ask for at most {there:g}, or connect to a larger cluster"
                )
