"""The detector behind an MLflow model: `mlflow.pyfunc.load_model("models:/ablation-layers@best").predict(image)`.

Tested in tests/experiments/framework/test_mlflow_model.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from experiments.framework.detectors import load
from stages.inference.predictor import Predictor


class DetectorModel:
    """What MLflow calls; its detections equal those of `ssdpipe.load`."""

    def __init__(self, detector: Predictor) -> None:
        self.detector = detector

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:  # noqa: ARG002 - MLflow's interface
        """Detections of one picture, or of several: paths, PIL images, arrays or tensors."""
        return self.detector(model_input)


def _load_pyfunc(path: str) -> DetectorModel:
    """Open the weights that an MLflow model refers to. Raises PipelineError when they are gone."""
    return DetectorModel(load(json.loads(Path(path).read_text(encoding="utf-8"))["file"]))
