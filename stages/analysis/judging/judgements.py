"""Parts of the analysis that judge each detection as right or wrong: TIDE's errors, curves, calibration.

Tested in tests/stages/analysis/judging/test_judgements.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ssd_core.metrics.analysis.calibration import calibration
from ssd_core.metrics.analysis.precision_recall import precision_recall
from ssd_core.metrics.analysis.tide import Tide, TideError, tide
from ssd_core.metrics.voc_ap import Outcomes, ScoredBoxes, TrueBoxes, class_result, judge
from stages.analysis.document import Document


def judgements(
    detections: ScoredBoxes,
    truth: TrueBoxes,
    classes: Sequence[str],
    *,
    score: float,
    iou_threshold: float,
    pixel_extent: float,
) -> Document:
    """The entries `tide`, `precision_recall` and `calibration` of a document."""
    rule: dict[str, Any] = {"iou_threshold": iou_threshold, "pixel_extent": pixel_extent, "class_count": len(classes)}
    outcomes = judge(detections, truth, **rule)
    return {
        "tide": _tide(tide(detections, truth, **rule)),
        "precision_recall": _curves(outcomes, classes),
        "calibration": _calibration(detections, outcomes, score),
    }


def _tide(found: Tide) -> Document:
    return {
        "AP": found.ap,
        "errors": {str(kind): {"dAP": found.losses[kind], "count": found.counts[kind]} for kind in TideError},
        "false_positives": found.false_positives,
        "false_negatives": found.false_negatives,
    }


def _curves(outcomes: Sequence[Outcomes], classes: Sequence[str]) -> Document:
    results = {name: class_result(item) for name, item in zip(classes, outcomes, strict=True)}
    return {
        name: {"AP": result.ap_area, **asdict(precision_recall(result))}
        for name, result in results.items()
        if result.objects
    }


def _calibration(detections: ScoredBoxes, outcomes: Sequence[Outcomes], score: float) -> Document | None:
    """Calibration over all detections, and its error over those of at least `score`."""
    by_class = [np.sort(detections.scores[detections.labels == label])[::-1] for label in range(len(outcomes))]
    scores = np.concatenate([values[item.counted] for values, item in zip(by_class, outcomes, strict=True)])
    true = np.concatenate([item.true[item.counted] for item in outcomes])
    every, shown = calibration(scores, true), calibration(scores[scores >= score], true[scores >= score])
    if not every or not shown:
        return None
    return {**asdict(every), "score": score, "error_above": shown.error}
