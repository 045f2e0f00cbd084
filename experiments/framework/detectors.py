"""Detectors for the user's own pictures, from a weights file, a stage's result in a store, or MLflow."""

from __future__ import annotations

import os
from pathlib import Path

from experiments.framework.weight_files import read_weights
from pipeline.errors import PipelineError
from pipeline.store.lookup import find_result
from pipeline.store.store import Store
from ssd_core.detection.limits import DetectionLimits
from ssd_core.weights.layouts.layout import AUTODETECT, ImportChoices
from ssd_core.weights.weights import Weights
from stages.inference.predictor import BATCH, Predictor
from stages.training.weight_files import WEIGHTS, stored_weights

IN_MLFLOW = ("models:/", "runs:/")

MIN_SCORE = 0.5
"""Detections below it are rarely worth looking at; the paper's figures show those from 0.6."""


def load(
    weights: str | Path | Weights,
    *,
    min_score: float = MIN_SCORE,
    limits: DetectionLimits | None = None,
    device: str = "",
    batch_size: int = BATCH,
    store: str = "",
    choices: ImportChoices = AUTODETECT,
) -> Predictor:
    """A detector for pictures.

    `weights` are a file of ssdpipe or of a program in docs/weights.md, the address of a training in the store, such as
    train/ssd200-narrow, or an MLflow model such as models:/name/1. `limits` replace the paper's and `min_score`.
    `choices` are for a file of another program. Raises PipelineError when there are no such weights.
    """
    content = weights if isinstance(weights, Weights) else find_weights(str(weights), store=store, choices=choices)
    require_detector(content, str(weights))
    limits = limits or DetectionLimits(min_score=min_score)
    return Predictor(content, limits=limits, device=device, batch_size=batch_size)


def require_detector(weights: Weights, named: str) -> None:
    """Raises PipelineError for initial weights."""
    if not weights.detects:
        raise PipelineError(f"{named} holds initial weights for a training (--init), not a detector")


def find_weights(named: str, *, store: str = "", choices: ImportChoices = AUTODETECT) -> Weights:
    """Weights that a user names. Raises PipelineError when there are none, with the nearest address in the store."""
    if Path(named).expanduser().is_file():
        return read_weights(named, choices)
    place = Store.open(store or os.environ.get("SSDPIPE_STORE") or "./ssdpipe-store")
    if named.startswith(IN_MLFLOW):
        from pipeline.mlflow_tracking.model_files import model_file

        return read_weights(model_file(place.folder, named, WEIGHTS), choices)
    try:
        manifest = find_result(place, named)
    except PipelineError as error:
        raise PipelineError(f"there is no weights file {named}, and {error}") from error
    output = place.output(manifest)
    if not output.is_file(WEIGHTS):
        trained = [each["address"] for each in manifest.inputs.values() if each["address"].startswith("train/")]
        remedy = f"name the training, {trained[0]}" if trained else "name a training"
        raise PipelineError(f"the result of {manifest.address} holds no weights: {remedy}")
    return stored_weights(output)
