"""One image of a VOC folder with its annotation: read, checked, and turned into a row of a shard."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.folder import Folder
from ssd_core.shards import Row
from stages.image_check import SUFFIXES, CheckedImage, check_image
from stages.records import BOX_LEFT_OUT, Box, Defect, Kind, Tally
from stages.voc import ANNOTATIONS, IMAGES
from stages.voc_annotation import AnnotatedObject, Annotation, mended, parse


@dataclass(frozen=True, kw_only=True)
class ListedImage:
    """One id of a split."""

    source: str
    folder: Folder
    image_id: str
    image: str | None
    """File name in JPEGImages; None when there is none."""

    @property
    def annotation_file(self) -> str:
        return f"{ANNOTATIONS}/{self.image_id}.xml"

    @property
    def image_file(self) -> str:
        return f"{IMAGES}/{self.image or self.image_id}"

    def defect(self, kind: Kind, file: str, detail: str, number: int | None = None) -> Defect:
        return Defect(kind=kind, source=self.source, file=file, detail=detail, object=number)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What became of one image: a row, or None when it is left out; `defects` say why."""

    row: Row | None
    tally: Tally
    defects: tuple[Defect, ...]


def read_image(listed: ListedImage, classes: tuple[str, ...], ignored: tuple[str, ...]) -> Reading:
    """Read one image and check all of it."""
    annotation = _annotation(listed)
    encoded = listed.folder.read_bytes(listed.image_file) if listed.image else b""
    image = _image(listed, encoded)
    annotated = len(annotation.objects) if isinstance(annotation, Annotation) else 0
    if isinstance(annotation, Defect) or isinstance(image, Defect):
        return Reading(
            row=None,
            tally=Tally(
                images_listed=1, images_left_out=1, boxes_annotated=annotated, boxes_of_left_out_images=annotated
            ),
            defects=tuple(found for found in (annotation, image) if isinstance(found, Defect)),
        )
    objects, of_boxes = _sound_objects(listed, annotation, image, ignored)
    return Reading(
        row=_row(listed, encoded, image, objects, classes),
        tally=Tally(
            images_listed=1,
            images_written=1,
            images_without_objects=int(not objects),
            boxes_annotated=annotated,
            boxes_written=len(objects),
            boxes_left_out=sum(defect.kind in BOX_LEFT_OUT for defect in of_boxes),
        ),
        defects=(*_corrected(listed, annotation, image), *of_boxes),
    )


def _annotation(listed: ListedImage) -> Annotation | Defect:
    if not listed.folder.exists(listed.annotation_file):
        return listed.defect(Kind.MISSING_ANNOTATION, listed.annotation_file, "no such file")
    try:
        return parse(listed.folder.read_bytes(listed.annotation_file))
    except ValueError as error:
        return listed.defect(Kind.BROKEN_XML, listed.annotation_file, str(error))


def _image(listed: ListedImage, encoded: bytes) -> CheckedImage | Defect:
    if listed.image is None:
        return listed.defect(Kind.MISSING_IMAGE, listed.image_file, "no file of this id")
    try:
        return check_image(encoded)
    except ValueError as error:
        return listed.defect(Kind.UNREADABLE_IMAGE, listed.image_file, f"{error}, {len(encoded)} bytes")


def _sound_objects(
    listed: ListedImage, annotation: Annotation, image: CheckedImage, ignored: tuple[str, ...]
) -> tuple[list[tuple[int, AnnotatedObject, Box]], list[Defect]]:
    """Objects that go to the shard, with their numbers and mended boxes; and the defects of all."""
    kept, defects = [], []
    for number, item in enumerate(annotation.objects):
        if item.name in ignored:
            defects.append(listed.defect(Kind.IGNORED_CLASS, listed.annotation_file, item.name, number))
            continue
        box, found = mended(item.box_xyxy, image.width, image.height)
        defects += [
            listed.defect(kind, listed.annotation_file, f"{item.name}: {detail}", number) for kind, detail in found
        ]
        if box:
            kept.append((number, item, box))
    return kept, defects


def _corrected(listed: ListedImage, annotation: Annotation, image: CheckedImage) -> list[Defect]:
    """What the image itself tells better than its description."""
    defects = []
    if annotation.size != (image.width, image.height):
        told = "none" if annotation.size is None else f"{annotation.size[0]}x{annotation.size[1]}"
        detail = f"XML {told}, image {image.width}x{image.height}"
        defects.append(listed.defect(Kind.WRONG_SIZE, listed.annotation_file, detail))
    if SUFFIXES[Path(listed.image_file).suffix.lower()] != image.format:
        defects.append(listed.defect(Kind.MISNAMED, listed.image_file, f"content is {image.format}"))
    return defects


def _row(
    listed: ListedImage,
    encoded: bytes,
    image: CheckedImage,
    objects: list[tuple[int, AnnotatedObject, Box]],
    classes: tuple[str, ...],
) -> Row:
    boxes_xyxy = np.array([box for _, _, box in objects], dtype=np.float32).reshape(-1, 4)
    width, height = (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2] + 1).T  # corners are inclusive
    return Row(
        image_id=listed.image_id,
        source=listed.source,
        image=encoded,
        width=image.width,
        height=image.height,
        boxes_xyxy=boxes_xyxy,
        labels=np.array([classes.index(item.name) for _, item, _ in objects], dtype=np.int32),
        difficult=np.array([item.difficult for _, item, _ in objects], dtype=np.bool_),
        crowd=np.zeros(len(objects), dtype=np.bool_),
        area=(width * height).astype(np.float32),
        annotation_ids=np.array([number for number, _, _ in objects], dtype=np.int64),
    )
