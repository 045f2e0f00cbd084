"""The content of a submission: detections on a list of images, boxes as (xmin, ymin, xmax, ymax) in image pixels.

Tested in tests/stages/submission/test_submission.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.folder import Folder
from ssd_core.data.shards import ShardSet
from ssd_core.metrics.voc_ap import ScoredBoxes
from stages.evaluation.boxes import stored_boxes


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """Detections on a list of images."""

    image_ids: tuple[str, ...]
    sizes: tuple[tuple[int, int], ...]
    """Width and height of each image."""

    classes: tuple[str, ...]
    detections: ScoredBoxes
    """`images` index `image_ids`, `labels` index `classes`."""


def from_shards(detections: Folder, shards: Folder) -> Submitted:
    """The detections of one detector on one set of shards."""
    rows = ShardSet(shards.path, shards.filesystem)
    listed = [(row.image_id, (row.width, row.height)) for row in rows]
    numbers = {image_id: number for number, (image_id, _) in enumerate(listed)}
    boxes = stored_boxes(detections, numbers)
    return Submitted(
        image_ids=tuple(numbers), sizes=tuple(size for _, size in listed), classes=rows.classes, detections=boxes
    )
