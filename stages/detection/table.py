"""The file of detections, one per row: boxes are in pixels of the original image in VOC's frame, unrounded.

Tested in tests/stages/detection/test_table.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

DETECTIONS = "detections.parquet"

SCHEMA = pa.schema(
    [
        pa.field("image_id", pa.string(), nullable=False),
        pa.field("label", pa.int32(), nullable=False),  # 0-based index into the classes of the weights
        pa.field("score", pa.float32(), nullable=False),
        *(pa.field(name, pa.float32(), nullable=False) for name in ("xmin", "ymin", "xmax", "ymax")),
    ]
)

ROW_GROUP_SIZE = 1 << 20
"""Detections per row group, as pyarrow divides a table by default."""


def write_detections(sink: Any, tables: Iterable[pa.Table], *, row_group_size: int = ROW_GROUP_SIZE) -> None:
    """Write tables one after the other, with one row group in memory; the bytes are those of one large table."""
    with pq.ParquetWriter(sink, SCHEMA) as writer:
        waiting, rows, is_empty = [SCHEMA.empty_table()], 0, True
        for table in tables:
            waiting.append(table)
            rows += len(table)
            while rows >= row_group_size:
                group = pa.concat_tables(waiting)
                writer.write_table(group.slice(0, row_group_size), row_group_size)
                waiting, rows, is_empty = [group.slice(row_group_size)], rows - row_group_size, False
        if rows or is_empty:
            writer.write_table(pa.concat_tables(waiting), row_group_size)
