"""The networks to time and the number of batches. Does not import torch, since graphs are built from it.

Tested in tests/stages/speed/test_stages.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.errors import PipelineError
from pipeline.stage import Stage
from ssd_core.spec.detector import DetectorSpec
from stages.training.weight_files import WEIGHTS

SPEED = "speed.json"


@dataclass(frozen=True, kw_only=True)
class Network:
    """A detector: trained weights, or random weights of a specification."""

    label: str = ""
    spec: DetectorSpec | None = None
    """Specification for random weights; the background bias is raised until about `candidates` scores per image exceed
    the threshold."""

    weights: Stage | None = None
    weights_file: str = WEIGHTS
    candidates: int = 1000

    def __post_init__(self) -> None:
        if (self.spec is None) == (self.weights is None):
            raise PipelineError(f"the network {self.label!r} needs either a specification or weights")


@dataclass(frozen=True, kw_only=True)
class Effort:
    """Number of timed batches, and of untimed warm-up batches before them."""

    warmup: int = 50
    timed: int = 500

    @property
    def batches(self) -> int:
        return self.warmup + self.timed

    def __post_init__(self) -> None:
        if self.warmup < 1 or self.timed < 1:
            raise PipelineError(f"measuring speed needs at least one warm-up batch and one timed batch, not {self}")


ON_GPU = Effort()
ON_CPU = Effort(warmup=2, timed=20)
"""A batch takes seconds on a CPU."""
