"""Workloads that take turns, for a given time rather than a number of rounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ssd_core.detection.speed import Seconds, Speed, Work, in_turns


@dataclass(frozen=True, kw_only=True)
class Effort:
    """Time of a measurement; one round calls each workload once."""

    seconds: float = 7.0
    fewest: int = 5
    most: int = 40
    warmup: int = 2


SMALL = Effort(seconds=0, fewest=1, most=1, warmup=0)
"""One round, to exercise the code."""


def timed(works: Mapping[str, Work], device: torch.device, effort: Effort) -> dict[str, Seconds]:
    """Measure each workload in the rounds that fit the effort's time, after its warm-up and one trial round."""
    trial = sum(float(values.sum()) for values in in_turns(works, device, warmup=effort.warmup, timed=1).values())
    rounds = int(np.clip(effort.seconds / trial, effort.fewest, effort.most))
    return in_turns(works, device, warmup=0, timed=rounds)


def compared(seconds: Mapping[str, Seconds], images: int, reference: str) -> dict[str, Any]:
    """Return the speed of each workload of `images` images, and its ratio to the reference, round by round."""
    return {
        name: {
            "images_per_second": images / float(np.median(values)),
            "spread": spread(images / values),
            f"of {reference}": float(np.median(seconds[reference] / values)),
            f"spread of {reference}": spread(seconds[reference] / values),
            "rounds": len(values),
        }
        for name, values in seconds.items()
    }


def spread(values: Seconds) -> list[float]:
    """Return the 10th and 90th percentile."""
    return [float(value) for value in np.percentile(values, [10, 90])]


def speed_of(seconds: Seconds, batch: int) -> dict[str, float]:
    """Return the numbers of Table 7's protocol."""
    speed = Speed.of(seconds, batch)
    return {"images_per_second": speed.images_per_second, "p50_ms": speed.p50_ms, "p90_ms": speed.p90_ms}
