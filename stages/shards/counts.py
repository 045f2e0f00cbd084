"""How many images and boxes a set of shards holds, read back from its result.

Tested in tests/experiments/cli/store/test_hostile.py.
"""

from __future__ import annotations

import msgspec

from pipeline.folder import Folder
from pipeline.store.reading import Count
from pipeline.store.record import read_result
from ssd_core.data.shards import MANIFEST


class ShardCounts(msgspec.Struct):
    images: Count
    boxes: Count


_COUNTS = msgspec.json.Decoder(ShardCounts)


def read_counts(shards: Folder) -> ShardCounts:
    """Raises PipelineError when the folder holds no shards, or a damaged manifest of them."""
    return read_result(shards, MANIFEST, _COUNTS)
