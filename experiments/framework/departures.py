"""Settings of a training and of the detection with its weights, as one list, and those that the paper does not have.

Tested in tests/experiments/cli/requests/test_training.py.
"""

from __future__ import annotations

from ssd_core.detection.limits import LIMITS, PAPER_LIMITS, DetectionLimits
from ssd_core.spec.departures import Departure, differences, leaves
from ssd_core.spec.recipe import Recipe


def all_settings(recipe: Recipe, limits: DetectionLimits) -> dict[str, str]:
    """Texts by the names that `-s` takes."""
    return {**dict(leaves(recipe)), **dict(leaves(limits, LIMITS))}


def all_departures(recipe: Recipe, limits: DetectionLimits) -> list[Departure]:
    """Settings that differ from those of the paper's SSD300 on VOC 07+12."""
    return differences(all_settings(recipe, limits), all_settings(Recipe(), PAPER_LIMITS))
