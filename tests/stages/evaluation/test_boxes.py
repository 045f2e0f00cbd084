"""Detections are read part by part, as the arrays of the whole table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.folder import Folder
from stages.detection.table import DETECTIONS, SCHEMA
from stages.evaluation.boxes import scored_boxes, stored_boxes


@pytest.mark.parametrize("rows", [0, 1, 64, 100])
def test_detections_read_in_parts_are_those_of_the_table(rows: int, tmp_path: Path) -> None:
    rng, numbers = np.random.default_rng(0), {f"image{number}": 7 * number for number in range(9)}
    ids = pa.array([f"image{number}" for number in np.sort(rng.integers(0, 9, rows))], pa.string())
    values = [rng.integers(0, 20, rows, dtype=np.int32), *rng.random((5, rows), np.float32)]
    table = pa.Table.from_arrays([ids, *map(pa.array, values)], schema=SCHEMA)
    pq.write_table(table, tmp_path / DETECTIONS, row_group_size=48)
    whole, read = scored_boxes(table, numbers), stored_boxes(Folder(str(tmp_path)), numbers, rows_at_once=20)
    for name, expected in vars(whole).items():
        np.testing.assert_array_equal(getattr(read, name), expected)
        assert getattr(read, name).dtype == expected.dtype
