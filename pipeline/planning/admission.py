"""How many stages run at once: those whose CPUs and GPUs together fit a budget."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.errors import PipelineError
from pipeline.planning.graph import Node
from pipeline.stage import Resources

ROUNDING = 1e-6
"""Ten times 0.1 GPU is one GPU."""


class Budget:
    """CPUs and GPUs that are left of a total."""

    def __init__(self, total: Resources) -> None:
        self.total = total
        self._cpus = total.cpus
        self._gpus = total.gpus

    def take(self, asked: Resources) -> bool:
        """Take what a stage asks for if it is there."""
        if asked.cpus > self._cpus + ROUNDING or asked.gpus > self._gpus + ROUNDING:
            return False
        self._cpus -= asked.cpus
        self._gpus -= asked.gpus
        return True

    def give_back(self, taken: Resources) -> None:
        self._cpus += taken.cpus
        self._gpus += taken.gpus


def refuse_oversized(nodes: Iterable[Node], total: Resources) -> None:
    """Raises PipelineError for a stage that could never start, instead of letting it wait for ever."""
    for node in nodes:
        asked = node.stage.resources
        for name, wanted, there in (("GPUs", asked.gpus, total.gpus), ("CPUs", asked.cpus, total.cpus)):
            if wanted > there + ROUNDING:
                raise PipelineError(
                    f"{node.address} asks for {wanted:g} {name}, but there are {there:g} in all: "
                    f"ask for at most {there:g}, or connect to a larger cluster"
                )
