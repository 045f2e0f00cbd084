"""Annotations that are probably wrong, by image and class, as the documents and pages list them.

Tested in tests/stages/analysis/judging/test_judgements.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from ssd_core.metrics.analysis.suspects import suspects
from ssd_core.metrics.voc_ap import ScoredBoxes, TrueBoxes
from stages.analysis.document import Document

MOST, LEAST = 60, 0.05
"""Length of the list, and the smallest suspicion in it."""


def suspect_entries(
    detections: ScoredBoxes,
    truth: TrueBoxes,
    classes: Sequence[str],
    image_ids: Sequence[str],
    *,
    pixel_extent: float,
) -> list[Document]:
    """The most suspicious annotations first; a missing one has the box of the detection."""
    entries = []
    for item in suspects(detections, truth, most=MOST, least=LEAST, pixel_extent=pixel_extent):
        annotated = item.object
        box = detections.boxes_xyxy[item.detection] if annotated is None else truth.boxes_xyxy[annotated]
        entries.append(
            {
                "image": image_ids[detections.images[item.detection]],
                "fault": str(item.fault),
                "annotated": None if annotated is None else classes[truth.labels[annotated]],
                "detected": classes[detections.labels[item.detection]],
                "suspicion": round(item.suspicion, 4),
                "box": [round(float(value), 1) for value in box],
            }
        )
    return entries
