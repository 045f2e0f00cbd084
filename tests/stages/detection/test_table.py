"""The file of detections is written group by group, with the bytes of a table that is written at once."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.detection.table import SCHEMA, write_detections


def table(first: int, rows: int) -> pa.Table:
    numbers = np.arange(first, first + rows)
    columns = [pa.array([f"{number // 7:06d}" for number in numbers]), numbers.astype(np.int32) % 20]
    return pa.Table.from_arrays([*columns, *(numbers.astype(np.float32) + each for each in range(5))], schema=SCHEMA)


@pytest.mark.parametrize("sizes", [(), (0,), (3, 0, 4), (100,), (100, 100), (99, 2, 250, 0, 49), (64,) * 11])
def test_parts_written_in_turn_give_the_bytes_of_one_table(sizes: tuple[int, ...]) -> None:
    parts = [table(sum(sizes[:number]), size) for number, size in enumerate(sizes)]
    at_once, in_turn = io.BytesIO(), io.BytesIO()
    pq.write_table(pa.concat_tables([SCHEMA.empty_table(), *parts]), at_once, row_group_size=100)
    write_detections(in_turn, iter(parts), row_group_size=100)
    assert in_turn.getvalue() == at_once.getvalue()
    assert pq.ParquetFile(in_turn).metadata.num_rows == sum(sizes)
