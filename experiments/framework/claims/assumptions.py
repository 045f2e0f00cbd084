"""How much results are assumed to vary where a store cannot show it: for one seed, and before anything is run.

The paper trains each row once, so that its own tables say nothing of this.

Tested in tests/experiments/cli/claims/test_claims.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from ssd_core.metrics.estimate import Spread


@dataclass(frozen=True, kw_only=True)
class Assumption:
    """Standard deviations of one row's accuracy, as fractions, and where they come from."""

    seeds: Spread
    """Between trainings that differ in their seed."""

    images: float
    """Over the test images, of a row relative to another on the same images, divided by the root of 2."""

    source: str


COCO = Assumption(
    seeds=Spread(value=0.0015, freedom=14),
    images=0.002,
    source="15 seeds of NVIDIA's SSD300 on COCO; images assumed",
)
"""For rows that are scored on COCO at the scale of the paper."""

ASSUMED = {
    "full": Assumption(
        seeds=Spread(value=0.003, freedom=4),
        images=0.003,
        source="0.2 to 0.3 points between trainings of other implementations on VOC; images assumed",
    ),
    "short": Assumption(seeds=Spread(value=0.005, freedom=4), images=0.003, source="assumed"),
    "tiny": Assumption(
        seeds=Spread(value=0.042, freedom=48), images=0.008, source="24 rows of three seeds in docs/results.md"
    ),
    "narrow": Assumption(
        seeds=Spread(value=0.03, freedom=8), images=0.01, source="two rows of three seeds in benchmarks/results"
    ),
}


def assumption(preset: str, metric: str) -> Assumption:
    """What is assumed of a metric at a preset."""
    return COCO if preset in ("full", "short") and metric.startswith("coco/") else ASSUMED[preset]
