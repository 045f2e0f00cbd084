"""The annotated objects of a split in VOC layout, kept and repaired as in a sharding; those of any split as arrays.

Images need not exist. The header of one that does is read where the stated size is missing or a box crosses it.

Tested in tests/stages/evaluation/test_voc_detections.py, tests/stages/evaluation/files/test_any_files.py.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from ssd_core.metrics.voc_ap import ScoredBoxes, TrueBoxes
from stages.datasets.annotation import Annotation, Remark, UnreadableAnnotation
from stages.datasets.defects import TREATMENTS, Kind, Policy
from stages.datasets.ground_truth import KeptObject, counted, kept_objects
from stages.datasets.xml.voc_files import VocFiles
from stages.datasets.xml.voc_xml import parse
from stages.datasets.xml.xml_source import ListedFiles


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What detections on a split are scored against."""

    objects: Mapping[str, Sequence[KeptObject]]
    """By image id, in the order of the split."""

    notes: tuple[str, ...]
    """The defects of the annotations, with their numbers and consequences."""


@dataclass(frozen=True, kw_only=True)
class Objects:
    """The annotated objects of a set of images."""

    truth: TrueBoxes
    classes: tuple[str, ...]
    """Labels index this tuple."""

    image_ids: tuple[str, ...]
    pixel_extent: float = 1.0
    """Added to xmax - xmin to give a width: 1 for VOC pixels, 0 for continuous coordinates."""

    notes: tuple[str, ...] = ()
    """Sentences about defects, and about ignored files and detections."""


@dataclass(frozen=True, kw_only=True)
class Files(Objects):
    """The detections of a detector's files as well."""

    detections: ScoredBoxes


def truth_arrays(
    kept: Mapping[str, Sequence[KeptObject]], *, pixel_extent: float = 1.0, notes: tuple[str, ...] = ()
) -> Objects:
    """The objects of each image by its id; crowds count as difficult. Classes are sorted by name."""
    classes = tuple(sorted({item.name for items in kept.values() for item in items}))
    labels = {name: label for label, name in enumerate(classes)}
    listed = [(number, item) for number, items in enumerate(kept.values()) for item in items]
    truth = TrueBoxes(
        images=np.array([number for number, _ in listed], dtype=np.int64),
        labels=np.array([labels[item.name] for _, item in listed], dtype=np.int64),
        boxes_xyxy=np.array([item.box_xyxy for _, item in listed], dtype=np.float64).reshape(-1, 4),
        difficult=np.array([item.annotated.difficult or item.annotated.crowd for _, item in listed], dtype=np.bool_),
    )
    return Objects(truth=truth, classes=classes, image_ids=tuple(kept), pixel_extent=pixel_extent, notes=notes)


def truth_of(folder: Folder, split: str) -> Truth:
    """Read the annotations of a split.

    Raises PipelineError for an annotation that is missing or cannot be read, and for a defect that a sharding refuses.
    """
    images = {image.image_id: image for image in VocFiles(folder).listed(split).images}
    kept = {image_id: _kept(folder, image) for image_id, image in images.items()}
    return Truth(
        objects={image_id: objects for image_id, (objects, _) in kept.items()},
        notes=counted(defect for _, defects in kept.values() for defect in defects),
    )


def _kept(folder: Folder, image: ListedFiles) -> tuple[list[KeptObject], list[Remark]]:
    """The objects of an image as a sharding keeps and repairs them, and the defects of its annotation."""
    annotation = _annotation(folder, image)
    kept, defects = kept_objects(annotation.objects, annotation.size)
    if image.found and (not annotation.size or _depends_on_size(annotation.size, defects)):
        kept, defects = kept_objects(annotation.objects, _image_size(folder, image) or annotation.size)
    return kept, [*annotation.remarks, *defects]


def _depends_on_size(size: tuple[int, int], defects: Sequence[Remark]) -> bool:
    return min(size) <= 0 or any(defect.kind in (Kind.OUTSIDE, Kind.CLIPPED) for defect in defects)


def _image_size(folder: Folder, image: ListedFiles) -> tuple[int, int] | None:
    """Width and height from the header of an image file; None when it cannot be read."""
    from PIL import Image

    try:
        with folder.open_input(image.image_file) as stream, Image.open(io.BufferedReader(stream)) as header:
            return header.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):  # Pillow raises any of these
        return None


def _annotation(folder: Folder, image: ListedFiles) -> Annotation:
    name = image.annotation_file
    if not image.annotated:
        raise PipelineError(f"{folder.uri} has no {name}, which the split lists")
    try:
        annotation = parse(folder.read_bytes(name))
    except UnreadableAnnotation as error:
        raise PipelineError(f"{folder.uri}/{name} cannot be read: {error.kind} ({error})") from error
    for remark in annotation.remarks:
        if TREATMENTS[remark.kind].policy is Policy.REFUSED:
            raise PipelineError(f"{folder.uri}/{name}, object {remark.number}: {remark.kind} ({remark.detail})")
    return annotation
