"""Parquet shards of annotated images: the schema, writing, and random access to rows.

One row is one image with its encoded bytes unchanged. Boxes are in pixels as annotated (xmin, ymin, xmax, ymax; VOC:
1-based, inclusive corners, nothing subtracted); divide by the row's `width` and `height` to normalise them. Labels are
0-based indices into the class list of the shard set.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Bool, Float32, Int32, Int64
from numpy import ndarray
from pyarrow import fs

from ssd_core.data.shard_cache import Copy, ShardCache

SCHEMA_VERSION = 1

SCHEMA = pa.schema(
    [
        pa.field("image_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),  # name of the data set the image comes from
        pa.field("image", pa.binary(), nullable=False),  # encoded bytes, unchanged
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
"""File beside the Parquet files: {"schema_version", "classes": [...], "files": [{"name", "rows",
"row_groups": [rows, ...], "sha256"}], "images", "boxes", "objects_per_class": {class: objects},
"per_class": {class: counts}}."""

ROW_GROUP_SIZE = 32
"""Images per row group, the smallest unit that can be read: about 3 MB of VOC."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One annotated image; arrays have one entry per object."""

    image_id: str
    source: str
    image: bytes
    """Encoded bytes, unchanged."""

    width: int
    height: int
    boxes_xyxy: Float32[ndarray, "G 4"]
    """Pixels as annotated."""

    labels: Int32[ndarray, " G"]
    difficult: Bool[ndarray, " G"]
    crowd: Bool[ndarray, " G"]
    area: Float32[ndarray, " G"]
    annotation_ids: Int64[ndarray, " G"]


def write_rows(sink: Any, rows: Iterable[Row], *, row_group_size: int = ROW_GROUP_SIZE) -> list[int]:
    """Write one Parquet file to a path or an open binary file; return the number of rows in each row group.

    Equal rows give equal bytes. Nothing is compressed: images already are, and the rest is small.
    """
    groups = []
    remaining = iter(rows)
    with pq.ParquetWriter(sink, SCHEMA, compression="none", use_dictionary=False, write_statistics=False) as writer:
        while group := list(islice(remaining, row_group_size)):
            writer.write_table(_table(group), row_group_size=row_group_size)
            groups.append(len(group))
    return groups


def _table(rows: Sequence[Row]) -> pa.Table:
    columns = {field.name: [getattr(row, _ATTRIBUTES.get(field.name, field.name)) for row in rows] for field in SCHEMA}
    columns["boxes"] = [list(boxes) for boxes in columns["boxes"]]  # one array of 4 per object
    return pa.Table.from_pydict(columns, schema=SCHEMA)


_ATTRIBUTES = {"boxes": "boxes_xyxy"}


def build_manifest(
    classes: Sequence[str], files: Sequence[Mapping[str, Any]], per_class: Mapping[str, Mapping[str, int]]
) -> dict[str, Any]:
    """Return the content of `MANIFEST`; each of `files` has name, rows, row_groups and sha256.

    `per_class` holds for each class the number of its "objects" (all of them), of "images" that show it, and of objects
    that are "difficult" or "crowd".
    """
    objects = {name: counts["objects"] for name, counts in per_class.items()}
    return {
        "schema_version": SCHEMA_VERSION,
        "classes": list(classes),
        "files": [dict(file) for file in files],
        "images": sum(file["rows"] for file in files),
        "boxes": sum(objects.values()),
        "objects_per_class": objects,
        "per_class": {name: dict(counts) for name, counts in per_class.items()},
    }


class ShardSet:
    """Random access to the rows of a folder of shards, in the order of its manifest. Cheap to pickle."""

    def __init__(self, path: str, filesystem: fs.FileSystem | None = None, *, cached_groups: int = 24) -> None:
        """Read the manifest. Raises ValueError if it is missing or of a newer format.

        The `cached_groups` most recently used row groups stay in memory.
        """
        self.path = str(path)
        self.filesystem = filesystem or fs.LocalFileSystem()
        self.cached_groups = cached_groups
        self.manifest = self._read_manifest()
        self.classes = tuple(self.manifest["classes"])
        places = [(file["name"], group) for file in self.manifest["files"] for group in range(len(file["row_groups"]))]
        self._places: list[tuple[str, int]] = places
        self.group_sizes: tuple[int, ...] = tuple(
            rows for file in self.manifest["files"] for rows in file["row_groups"]
        )
        self._ends = list(accumulate(self.group_sizes))
        self._sha256 = {file["name"]: file["sha256"] for file in self.manifest["files"]}
        self._files: dict[str, Any] = {}
        self._copies: dict[str, Copy] = {}
        self._groups: OrderedDict[int, _Group] = OrderedDict()

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[Row]:
        return (self.row(index) for index in range(len(self)))

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_files": {}, "_copies": {}, "_groups": OrderedDict()}

    def row(self, index: int) -> Row:
        """Return the row at `index`. Raises IndexError outside 0 to len - 1."""
        if not 0 <= index < len(self):
            raise IndexError(f"row {index} of {len(self)} rows in {self.path}")
        group = bisect_right(self._ends, index)
        return self._group(group).row(index - self._ends[group] + self.group_sizes[group])

    def image_ids(self) -> list[tuple[str, str]]:
        """Return (source, image id) of all rows, without reading their images."""
        names = [file["name"] for file in self.manifest["files"]]
        tables = [self._file(name).read(columns=["source", "image_id"], use_threads=False) for name in names]
        return [(row["source"], row["image_id"]) for table in tables for row in table.to_pylist()]

    def verify(self) -> None:
        """Compare every file with its checksum. Raises ValueError that names the files that differ."""
        if broken := [name for name in self._sha256 if not self._is_whole(name)]:
            raise ValueError(_damage(self.path, broken, len(self._sha256)))

    def _read_manifest(self) -> dict[str, Any]:
        try:
            with self.filesystem.open_input_file(f"{self.path}/{MANIFEST}") as stream:
                manifest: dict[str, Any] = json.loads(stream.read())
        except FileNotFoundError as error:
            raise ValueError(f"{self.path} holds no shards: {MANIFEST} is missing") from error
        if (version := manifest["schema_version"]) > SCHEMA_VERSION:
            raise ValueError(
                f"the shards in {self.path} have format {version}, but this ssdpipe reads up to {SCHEMA_VERSION}: "
                "update ssdpipe, or shard the data again"
            )
        return manifest

    def _group(self, number: int) -> _Group:
        if number not in self._groups:
            name, group = self._places[number]
            # single-threaded: Arrow's thread pool does not survive the fork of loader processes
            self._groups[number] = _Group(self._file(name).read_row_group(group, use_threads=False))
            if len(self._groups) > self.cached_groups:
                self._groups.popitem(last=False)
        self._groups.move_to_end(number)
        return self._groups[number]

    def _file(self, name: str) -> Any:
        if name not in self._files:
            if copy := self._copy(name):
                self._copies[name] = copy  # its lock keeps the copy
                self._files[name] = pq.ParquetFile(pa.memory_map(str(copy.path)))
                return self._files[name]
            if not self._is_whole(name):
                raise ValueError(_damage(self.path, [name], len(self._sha256)))
            self._files[name] = pq.ParquetFile(self._open(name))
        return self._files[name]

    def _copy(self, name: str) -> Copy | None:
        """A local copy of a file that lies elsewhere, in the cache of this host."""
        if isinstance(self.filesystem, fs.LocalFileSystem) or (cache := ShardCache.of_this_host()) is None:
            return None
        info = self.filesystem.get_file_info(f"{self.path}/{name}")
        if info.type != fs.FileType.File:
            return None
        return cache.copy_of(self._sha256[name], info.size, lambda: self._open(name))

    def _open(self, name: str) -> Any:
        path = f"{self.path}/{name}"
        local = isinstance(self.filesystem, fs.LocalFileSystem)
        return pa.memory_map(path) if local else self.filesystem.open_input_file(path)

    def _is_whole(self, name: str) -> bool:
        """Whether a file has its checksum; computed once in a process for each state of the file."""
        info = self.filesystem.get_file_info(f"{self.path}/{name}")
        state = f"{self.path}/{name}", info.size, info.mtime_ns, self._sha256[name]
        if state not in _whole and info.type == fs.FileType.File:
            digest = hashlib.sha256()
            with self._open(name) as stream:
                while chunk := stream.read(1 << 20):
                    digest.update(chunk)
            if digest.hexdigest() == self._sha256[name]:
                _whole.add(state)
        return state in _whole


_whole: set[tuple[str, int, int | None, str]] = set()
"""Files that this process has compared with their checksum: path, size, time of change, checksum."""


def _damage(path: str, broken: Sequence[str], count: int) -> str:
    return (
        f"{len(broken)} of {count} shards in {path} are missing or differ from their checksum: "
        f"{', '.join(broken[:5])}; "
        "`ssdpipe store verify --discard` discards damaged results of a store, and the next run makes them again; "
        "delete any other folder and shard the data again"
    )


class _Group:
    """A row group in memory, with its object columns as flat arrays and the offsets of its rows."""

    def __init__(self, table: pa.Table) -> None:
        columns = {name: table.column(name).combine_chunks() for name in table.column_names}
        self.columns = {field.name: columns[field.name] for field in SCHEMA if not pa.types.is_list(field.type)}
        self.offsets = columns["labels"].offsets.to_numpy()
        self.objects: dict[str, Any] = {
            _ATTRIBUTES.get(field.name, field.name): _flat(columns[field.name])
            for field in SCHEMA
            if pa.types.is_list(field.type)
        }

    def row(self, index: int) -> Row:
        objects = slice(self.offsets[index], self.offsets[index + 1])
        return Row(
            **{name: column[index].as_py() for name, column in self.columns.items()},
            **{name: values[objects] for name, values in self.objects.items()},
        )


def _flat(column: Any) -> ndarray:
    values = column.values
    if pa.types.is_fixed_size_list(values.type):
        return np.asarray(values.values).reshape(-1, values.type.list_size)
    return np.asarray(values.to_numpy(zero_copy_only=False))
