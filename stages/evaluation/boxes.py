"""Detections and annotated objects as arrays, for every protocol.

Tested in tests/stages/evaluation/test_evaluate.py.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from ssd_core.data.shards import ShardSet
from ssd_core.metrics.voc_ap import ScoredBoxes, TrueBoxes
from stages.detection.table import DETECTIONS


def scored_boxes(table: pa.Table, numbers: Mapping[str, int]) -> ScoredBoxes:
    """Detections of a table; `numbers` gives the index of each image id."""
    ids = table.column("image_id").combine_chunks().dictionary_encode()
    images = np.array([numbers[image_id] for image_id in ids.dictionary.to_pylist()], dtype=np.int64)
    columns = [table.column(name).to_numpy() for name in ("xmin", "ymin", "xmax", "ymax")]
    return ScoredBoxes(
        images=images[ids.indices.to_numpy()],
        labels=table.column("label").to_numpy(),
        scores=table.column("score").to_numpy(),
        boxes_xyxy=np.stack(columns, axis=1),
    )


def stored_boxes(detections: Folder, numbers: Mapping[str, int], *, rows_at_once: int = 1 << 18) -> ScoredBoxes:
    """Detections that a stage wrote, read part by part: these arrays are half as large as the table."""
    with detections.open_input(DETECTIONS) as stream:
        file = pq.ParquetFile(stream, pre_buffer=True)
        rows, start = file.metadata.num_rows, 0
        boxes = ScoredBoxes(
            images=np.empty(rows, np.int64),
            labels=np.empty(rows, np.int32),
            scores=np.empty(rows, np.float32),
            boxes_xyxy=np.empty((rows, 4), np.float32),
        )
        for batch in file.iter_batches(batch_size=rows_at_once):
            part = scored_boxes(pa.Table.from_batches([batch]), numbers)
            stop = start + len(part.images)
            for name, values in vars(part).items():
                getattr(boxes, name)[start:stop] = values
            start = stop
    return boxes


def true_boxes(rows: ShardSet) -> tuple[Mapping[str, int], TrueBoxes]:
    """Index of each image id, and the objects; crowds count as difficult."""
    numbers: dict[str, int] = {}
    counts, labels, boxes_xyxy, difficult = [], [], [], []
    for number, row in enumerate(rows):
        if numbers.setdefault(row.image_id, number) != number:
            raise PipelineError(f"two test images have the id {row.image_id!r}: evaluate their data sets separately")
        counts.append(len(row.labels))
        labels.append(row.labels)
        boxes_xyxy.append(row.boxes_xyxy)
        difficult.append(row.difficult | row.crowd)
    return numbers, TrueBoxes(
        images=np.repeat(np.arange(len(rows)), counts),
        labels=np.concatenate(labels),
        boxes_xyxy=np.concatenate(boxes_xyxy),
        difficult=np.concatenate(difficult),
    )
