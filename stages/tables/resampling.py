"""How a metric varies when the test images are resampled: one value per resampling.

All detectors share the resamplings, so that two of them can be compared image by image.

Tested in tests/stages/tables/test_tabulate.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from pipeline.folder import Folder
from ssd_core.metrics.bootstrap import COCO_LEVELS, LEVELS, image_weights, replicate_map
from stages.evaluation.outcomes import OUTCOMES, read_outcomes

SEED = 0

Sample = Float[ndarray, " R"]
"""One value per resampling of the test images."""

AREA = None
METRICS: dict[str, tuple[Float[ndarray, " L"] | None, slice]] = {
    "voc07/mAP": (LEVELS, slice(None)),
    "voc12/mAP": (AREA, slice(None)),
    "ilsvrc/mAP": (AREA, slice(None)),
    "coco/AP": (COCO_LEVELS, slice(None)),
    "coco/AP50": (COCO_LEVELS, slice(0, None, 10)),  # each class has outcomes at 0.5, 0.55, ..., 0.95
    "coco/AP75": (COCO_LEVELS, slice(5, None, 10)),
}
"""For each metric, the recalls it averages over (or `AREA`), and the outcomes it uses."""


def resampled(metric: str, results: Mapping[int, Folder], replicates: int) -> dict[int, Sample]:
    """Sample of each seed; empty if the metric or the results cannot be resampled."""
    if metric not in METRICS or not all(folder.exists(OUTCOMES) for folder in results.values()):
        return {}
    levels, part = METRICS[metric]
    samples = {}
    for seed, folder in results.items():
        outcomes, images = read_outcomes(folder.read_bytes(OUTCOMES))
        weights = image_weights(images, replicates, np.random.default_rng(SEED))
        samples[seed] = replicate_map(outcomes[part], weights, levels)
    return samples


def mean_sample(samples: Mapping[int, Sample], seeds: Iterable[int]) -> Sample:
    """Mean over some seeds in each resampling."""
    mean: Sample = np.mean([samples[seed] for seed in seeds], axis=0)
    return mean
