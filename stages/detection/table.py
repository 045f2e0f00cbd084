"""The file of detections, one per row: boxes are in pixels of the original image in VOC's frame, unrounded."""

from __future__ import annotations

import pyarrow as pa

DETECTIONS = "detections.parquet"

SCHEMA = pa.schema(
    [
        pa.field("image_id", pa.string(), nullable=False),
        pa.field("label", pa.int32(), nullable=False),  # 0-based index into the classes of the weights
        pa.field("score", pa.float32(), nullable=False),
        *(pa.field(name, pa.float32(), nullable=False) for name in ("xmin", "ymin", "xmax", "ymax")),
    ]
)
