"""A COCO result file and its annotations, for the rules of VOC and the analysis.

Tested in tests/experiments/cli/test_evaluate.py.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ssd_core.metrics.voc_ap import ScoredBoxes, TrueBoxes
from stages.evaluation.coco_results import matched_results, read_annotations
from stages.evaluation.voc_truth import Files


def read_coco(results: Path, annotations: Path) -> Files:
    """Read both files; errors as in `score_result_file`. Crowds count as difficult."""
    truth = read_annotations(annotations)
    found, notes = matched_results(results, truth, annotations)
    objects = truth.objects
    return Files(
        detections=ScoredBoxes(
            images=found.images, labels=found.labels, scores=found.scores, boxes_xyxy=_corners(found.boxes_xywh)
        ),
        truth=TrueBoxes(
            images=objects.images,
            labels=objects.labels,
            boxes_xyxy=_corners(objects.boxes_xywh),
            difficult=objects.crowd,
        ),
        classes=truth.classes,
        image_ids=tuple(truth.images),
        pixel_extent=0.0,
        notes=(*truth.notes, *notes),
    )


def _corners(boxes_xywh: np.ndarray) -> np.ndarray:
    return np.concatenate([boxes_xywh[:, :2], boxes_xywh[:, :2] + boxes_xywh[:, 2:]], axis=1)
