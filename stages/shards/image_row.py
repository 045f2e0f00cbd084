"""Read one listed image with its annotation, check it, and turn it into a row of a shard.

Tested in tests/stages/shards/test_shard.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ssd_core.data.shards import Row
from stages.datasets.annotation import Annotation, Remark, UnreadableAnnotation
from stages.datasets.defects import Defect, Kind, Tally, leaves_out_box
from stages.datasets.ground_truth import KeptObject, kept_objects
from stages.datasets.image_check import SUFFIXES, CheckedImage, check_image
from stages.datasets.source import ListedImage
from stages.shards.plausibility import Sums, sums_of

_NOTHING = Sums()


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Result of reading one image: a row, or None when the image is left out for one of `defects`."""

    row: Row | None
    tally: Tally
    defects: tuple[Defect, ...]
    sums: Sums = _NOTHING
    """Counts over its annotated objects, by which the whole set is judged."""


def read_image(listed: ListedImage, classes: Sequence[str], ignored: Sequence[str] = ()) -> Reading:
    """Read one image and check it completely. Objects of classes that are not in `classes` are left out."""
    annotation = _annotation(listed)
    encoded = listed.folder.read_bytes(listed.image_file) if listed.found else b""
    image = _image(listed, encoded)
    if isinstance(annotation, Defect):
        return _left_out(0, (annotation, image) if isinstance(image, Defect) else (annotation,))
    if isinstance(image, CheckedImage):
        image = _rotated(listed, annotation, image) or image
    if isinstance(image, Defect):
        return _left_out(_boxes(annotation), (image, *_remarked(listed, annotation.remarks)))
    size = image.width, image.height
    items, names = annotation.in_pixels(*size), listed.naming
    objects, of_boxes = kept_objects(items, size, naming=names, classes=classes, ignored=ignored)
    remarks = (*annotation.remarks, *of_boxes)
    defects = (*_of_image(listed, annotation, image), *_remarked(listed, remarks))
    if listed.skip_empty and not objects:
        skipped = listed.defect(Kind.SKIPPED_EMPTY, listed.image_file, f"{_boxes(annotation)} annotated")
        return _left_out(_boxes(annotation), (*defects, skipped))
    tally = Tally(
        images_listed=1,
        images_written=1,
        images_without_objects=int(not objects),
        boxes_annotated=_boxes(annotation),
        boxes_written=len(objects),
        boxes_left_out=sum(leaves_out_box(remark.kind) for remark in remarks),
    )
    row = _row(listed, encoded, image, objects, classes)
    return Reading(row=row, tally=tally, defects=defects, sums=sums_of(items, size))


def _boxes(annotation: Annotation) -> int:
    """Number of annotated boxes, those included that could not be read into an object."""
    return len(annotation.objects) + sum(leaves_out_box(remark.kind) for remark in annotation.remarks)


def _remarked(listed: ListedImage, remarks: Iterable[Remark]) -> Iterator[Defect]:
    for remark in remarks:
        yield listed.defect(remark.kind, listed.annotation_file, remark.detail, remark.number)


def _left_out(boxes: int, defects: tuple[Defect, ...]) -> Reading:
    tally = Tally(images_listed=1, images_left_out=1, boxes_annotated=boxes, boxes_of_left_out_images=boxes)
    return Reading(row=None, tally=tally, defects=defects)


def _annotation(listed: ListedImage) -> Annotation | Defect:
    if listed.annotation is not None:
        return listed.annotation
    assert listed.parse, "a reader gives the annotation or a function that parses it"
    if not listed.folder.is_file(listed.annotation_file):
        return listed.defect(Kind.MISSING_ANNOTATION, listed.annotation_file, "no file with this id")
    try:
        return listed.parse(listed.folder.read_bytes(listed.annotation_file))
    except UnreadableAnnotation as error:
        return listed.defect(error.kind, listed.annotation_file, str(error))


def _image(listed: ListedImage, encoded: bytes) -> CheckedImage | Defect:
    if not listed.found:
        return listed.defect(Kind.MISSING_IMAGE, listed.image_file, "no file with this name")
    try:
        return check_image(encoded)
    except ValueError as error:
        return listed.defect(Kind.UNREADABLE_IMAGE, listed.image_file, f"{error}, {len(encoded)} bytes")


def _rotated(listed: ListedImage, annotation: Annotation, image: CheckedImage) -> Defect | None:
    """Defect of an image annotated with its EXIF-rotated size: its boxes are in rotated pixels, not in stored ones."""
    stored, rotated = (image.width, image.height), (image.height, image.width)
    if annotation.relative and annotation.objects and image.orientation != 1:
        detail = f"orientation {image.orientation}, and boxes are fractions of the rotated image"
        return listed.defect(Kind.ROTATED, listed.image_file, detail)
    if image.orientation < 5 or annotation.size == stored or annotation.size != rotated:
        return None
    detail = f"orientation {image.orientation}, annotated {rotated[0]}x{rotated[1]}, stored {stored[0]}x{stored[1]}"
    return listed.defect(Kind.ROTATED, listed.image_file, detail)


def _of_image(listed: ListedImage, annotation: Annotation, image: CheckedImage) -> Iterator[Defect]:
    """Defects in the description of the image, which the image itself corrects, and changes made by decoding."""
    if annotation.size not in (None, (image.width, image.height)):
        detail = "annotated {}x{}".format(*annotation.size or ()) + f", image {image.width}x{image.height}"
        yield listed.defect(Kind.WRONG_SIZE, listed.annotation_file, detail)
    if SUFFIXES.get(Path(listed.image_file).suffix.lower()) != image.format:
        yield listed.defect(Kind.MISNAMED, listed.image_file, f"content is {image.format}")
    if image.orientation != 1:
        yield listed.defect(Kind.EXIF_ORIENTATION, listed.image_file, f"orientation {image.orientation}")
    if not listed.image_file.isascii() or " " in listed.image_file:
        yield listed.defect(Kind.ODD_NAME, listed.image_file, repr(listed.image_file))
    yield from (listed.defect(kind, listed.image_file, image.format) for kind in image.oddities)


def _row(
    listed: ListedImage, encoded: bytes, image: CheckedImage, objects: Sequence[KeptObject], classes: Sequence[str]
) -> Row:
    boxes_xyxy = np.array([item.box_xyxy for item in objects], dtype=np.float32).reshape(-1, 4)
    return Row(
        image_id=listed.image_id,
        source=listed.source,
        image=encoded,
        width=image.width,
        height=image.height,
        boxes_xyxy=boxes_xyxy,
        labels=np.array([classes.index(item.name) for item in objects], dtype=np.int32),
        difficult=np.array([item.annotated.difficult for item in objects], dtype=np.bool_),
        crowd=np.array([item.annotated.crowd for item in objects], dtype=np.bool_),
        area=np.array([item.area for item in objects], dtype=np.float32),
        annotation_ids=np.array([item.annotation_id for item in objects], dtype=np.int64),
    )
