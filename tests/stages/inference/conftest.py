"""A detector with random weights, and a file of one picture."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from experiments.framework.detectors import load
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.weights import Weights
from stages.inference.predictor import Predictor

CLASSES = ("cat", "dog", "raccoon")


@pytest.fixture(scope="session")
def detector() -> Predictor:
    spec = ssd_tiny(CLASSES)
    weights = Weights(spec=spec, state=initial_detector(spec, 0).state_dict())
    return load(weights, min_score=0.3, device="cpu")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A PNG, whose pixels are the same for all decoders."""
    file = tmp_path / "street.png"
    cv2.imwrite(str(file), np.random.default_rng(0).integers(0, 256, (90, 140, 3), np.uint8))
    return file
