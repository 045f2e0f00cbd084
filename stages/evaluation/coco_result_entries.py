"""Read a file of detections in COCO's result format.

Tested in tests/stages/evaluation/test_coco_results.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from jaxtyping import Float
from msgspec import Raw, Struct
from numpy import ndarray

from pipeline.errors import PipelineError
from stages.datasets.coco.coco_entries import Unread, at, box_xywh
from stages.datasets.reading import values
from stages.datasets.reading.json_parts import Part, fields_of, split_json, typed

Entry = tuple[str, str, tuple[float, float, float, float], float]
"""Image id, category id, (x, y, width, height), score."""


class _Detection(Struct, forbid_unknown_fields=True, gc=False):
    """A detection as COCO's own programs write it; `Raw` marks fields that do not matter for boxes."""

    image_id: int
    category_id: int
    bbox: tuple[float, float, float, float]
    score: float
    id: Raw = Raw()
    area: Raw = Raw()
    iscrowd: Raw = Raw()
    segmentation: Raw = Raw()
    keypoints: Raw = Raw()


FIELDS = frozenset(_Detection.__struct_fields__)
_DETECTION = msgspec.json.Decoder(_Detection)


@dataclass(frozen=True, kw_only=True)
class Results:
    """All detections of a file, in its order."""

    images: list[str]
    categories: list[str]
    boxes_xywh: Float[ndarray, "N 4"]
    scores: Float[ndarray, " N"]
    notes: tuple[str, ...]


def read_result_file(file: Path) -> Results:
    """Read a file. Raises PipelineError when it is no list of detections, or one of them cannot be read."""
    if not file.is_file():
        raise PipelineError(f"there is no file {file}")
    listed = split_json(file.read_bytes(), str(file))
    if not isinstance(listed, list):
        raise PipelineError(f"{file} is not a COCO result file: it needs a list of detections")
    unread = Unread()
    entries = [_entry(part, number, file, unread) for number, part in enumerate(listed)]
    boxes_xywh = np.array([entry[2] for entry in entries], dtype=np.float64).reshape(-1, 4)
    _refuse_negative(boxes_xywh, file)
    return Results(
        images=[entry[0] for entry in entries],
        categories=[entry[1] for entry in entries],
        boxes_xywh=boxes_xywh,
        scores=np.array([entry[3] for entry in entries], dtype=np.float64),
        notes=tuple(f"{file.name}: not read: {text}" for text in unread.described()),
    )


def _entry(part: Part, number: int, file: Path, unread: Unread) -> Entry:
    if (item := typed(_DETECTION, part)) is not None:
        return str(item.image_id), str(item.category_id), item.bbox, item.score
    place = f"detection {number + 1}"
    fields = fields_of(part, f"{file}: {place}")
    unread.add("detections", fields.keys() - FIELDS, place)
    return at(
        f"{file}: {place}",
        lambda: (
            values.identifier(fields.get("image_id"), "image_id"),
            values.identifier(fields.get("category_id"), "category_id"),
            box_xywh(fields.get("bbox")),
            values.number(fields.get("score"), "score"),
        ),
    )


def _refuse_negative(boxes_xywh: Float[ndarray, "N 4"], file: Path) -> None:
    wrong = np.flatnonzero((boxes_xywh[:, 2:] < 0).any(axis=1))
    if wrong.size:
        raise PipelineError(
            f"{file}: detection {wrong[0] + 1}: bbox {boxes_xywh[wrong[0]].tolist()} is not (x, y, width, height): "
            f"width and height must be at least 0, and {wrong.size} of {len(boxes_xywh)} are not"
        )
