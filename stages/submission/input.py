"""A submission from detection files of any program.

Tested in tests/stages/submission/test_submission.py.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from pipeline.errors import PipelineError
from ssd_core.metrics.voc_ap import ScoredBoxes
from stages.datasets.source import Source
from stages.evaluation.boxes import scored_boxes
from stages.evaluation.coco_results import read_results
from stages.evaluation.voc_detections import class_files, read_detections
from stages.submission.submitted import Submitted


def from_files(detections: Path, source: Source, classes: Mapping[str, int]) -> Submitted:
    """Detections of any program on the images of a split.

    A folder holds VOC's text files; a .parquet file is the table of a detection stage, whose labels index `classes`;
    any other file is a list in COCO's result format, with the category ids in `classes`.
    """
    sizes = _sizes(source)
    image_ids = tuple(sizes)
    boxes, outside = _read(detections, image_ids, classes)
    if outside:
        raise PipelineError(
            f"{outside} of {outside + len(boxes.scores)} detections in {detections} are on images that split "
            f"{source.split!r} does not list ({len(image_ids)} images): were they made on this split?"
        )
    if len(boxes.labels) and not 0 <= boxes.labels.min() <= boxes.labels.max() < len(classes):
        raise PipelineError(
            f"{detections} has labels from {boxes.labels.min()} to {boxes.labels.max()}, but the {len(classes)} "
            f"classes are numbered from 0 to {len(classes) - 1}"
        )
    return Submitted(image_ids=image_ids, sizes=tuple(sizes.values()), classes=tuple(classes), detections=boxes)


def _read(detections: Path, image_ids: Sequence[str], classes: Mapping[str, int]) -> tuple[ScoredBoxes, int]:
    if detections.is_dir():
        files, _ = class_files(detections, tuple(classes))
        return read_detections([files[name] for name in classes], image_ids)
    if not detections.is_file():
        raise PipelineError(f"there is no file or folder {detections} with detections")
    if detections.suffix == ".parquet":
        return _of_table(detections, image_ids)
    return read_results(detections, image_ids, [str(number) for number in classes.values()])


def _of_table(file: Path, image_ids: Sequence[str]) -> tuple[ScoredBoxes, int]:
    table = pq.read_table(file)
    numbers = {image_id: number for number, image_id in enumerate(image_ids)}
    known = np.array([image_id in numbers for image_id in table.column("image_id").to_pylist()], dtype=bool)
    return scored_boxes(table.filter(known), numbers), int((~known).sum())


def _sizes(source: Source) -> dict[str, tuple[int, int]]:
    """Width and height of each image of a split, from the file headers."""
    from PIL import Image

    folder = source.located()
    sizes = {}
    for image in source.listing(folder).images:
        if not image.found:
            raise PipelineError(f"{folder.uri} has no file for image {image.image_id}, which {source.split!r} lists")
        with folder.open_input(image.image_file) as stream, Image.open(io.BufferedReader(stream)) as header:
            sizes[image.image_id] = header.size
    return sizes
