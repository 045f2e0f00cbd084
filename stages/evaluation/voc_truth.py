"""The annotated objects of a split in VOC layout, kept and repaired as in a sharding.

Images need not exist. The header of one that does is read where the stated size is missing or a box crosses it.

Tested in tests/stages/evaluation/test_voc_detections.py.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.errors import PipelineError
from pipeline.folder import Folder
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
