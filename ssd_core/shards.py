"""Parquet shards of annotated images: the schema, and random access to rows.

One row is one image with its encoded bytes untouched. Boxes are pixels of the image as annotated
(xmin, ymin, xmax, ymax; VOC: 1-based, inclusive corners, nothing subtracted). `size` for normalising
is the row's `width`, `height`. Labels are 0-based indices into the class list of the shard set.
"""

from __future__ import annotations

import pyarrow as pa

SCHEMA_VERSION = 1

SCHEMA = pa.schema(
    [
        pa.field("image_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),  # name of the data set the image comes from
        pa.field("image", pa.binary(), nullable=False),  # encoded bytes, as found
        pa.field("width", pa.int32(), nullable=False),  # of the decoded image
        pa.field("height", pa.int32(), nullable=False),
        pa.field("boxes", pa.list_(pa.list_(pa.float32(), 4)), nullable=False),
        pa.field("labels", pa.list_(pa.int32()), nullable=False),
        pa.field("difficult", pa.list_(pa.bool_()), nullable=False),
        pa.field("crowd", pa.list_(pa.bool_()), nullable=False),
        pa.field("area", pa.list_(pa.float32()), nullable=False),
        pa.field("annotation_ids", pa.list_(pa.int64()), nullable=False),
    ]
)

MANIFEST = "shards.json"
"""Beside the Parquet files: {"schema_version", "classes": [...], "files": [{"name", "rows", "row_groups": [rows, ...],
"sha256"}], "images", "boxes", "objects_per_class": {...}}."""
