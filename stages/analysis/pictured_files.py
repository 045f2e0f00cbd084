"""Pictures of the detections in files, as far as the images are at hand.

Tested in tests/experiments/cli/test_analyze.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from ssd_core.data.images import decode_rgb
from ssd_core.data.shards import Row
from ssd_core.metrics.voc_ap import TrueBoxes
from stages.analysis.detection_pictures import Choice, pick, write
from stages.datasets.image_check import SUFFIXES

if TYPE_CHECKING:
    from stages.evaluation.voc_truth import Files

COCO_DIGITS = 12
"""Digits of the names of COCO's files, which are the ids of their images."""


@dataclass(frozen=True)
class JudgedImages:
    """The image files of annotated objects, by the number of the image."""

    classes: tuple[str, ...]
    ids: tuple[str, ...]
    truth: TrueBoxes
    places: tuple[Path | None, ...]
    """None for an image without a file."""

    def row(self, index: int) -> Row:
        """An image and its objects. Raises PipelineError if it cannot be decoded."""
        place = self.places[index]
        assert place, "detections and objects are on images with a file"
        encoded, own = place.read_bytes(), self.truth.images == index
        try:
            height, width = decode_rgb(encoded).shape[:2]
        except ValueError as error:
            raise PipelineError(f"{place} cannot be drawn: {error}") from error
        boxes_xyxy = self.truth.boxes_xyxy[own].astype(np.float32)
        return Row(
            image_id=str(self.ids[index]),
            source="",
            image=encoded,
            width=width,
            height=height,
            boxes_xyxy=boxes_xyxy,
            labels=self.truth.labels[own].astype(np.int32),
            difficult=self.truth.difficult[own],
            crowd=np.zeros(len(boxes_xyxy), np.bool_),
            area=(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]).prod(axis=1),
            annotation_ids=np.full(len(boxes_xyxy), -1, np.int64),
        )


def draw_files(files: Files, folder: Path, choice: Choice, out: Folder) -> tuple[list[str], int]:
    """Write the pictures of the images in a folder; return the names of the pictures and the number of images."""
    places = image_files(folder, files.image_ids)
    present = np.array([place is not None for place in places], np.bool_)
    truth, found = files.truth, files.detections
    with_object, with_detection = present[truth.images], present[found.images]
    truth = replace(truth, **{name: values[with_object] for name, values in vars(truth).items()})
    found = replace(found, **{name: values[with_detection] for name, values in vars(found).items()})
    rows = JudgedImages(files.classes, files.image_ids, truth, tuple(places))
    return write(pick(choice, found, truth, rows), out), int(present.sum())


def image_files(folder: Path, ids: Sequence[str]) -> list[Path | None]:
    """The file of each image: of its name, with or without a suffix, or of COCO's number."""
    by_name: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES:
            by_name.setdefault(path.stem, path)
            by_name.setdefault(path.name, path)
    named = ((str(image_id), str(image_id).zfill(COCO_DIGITS)) for image_id in ids)
    return [next((by_name[name] for name in names if name in by_name), None) for names in named]
