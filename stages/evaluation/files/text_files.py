"""Text files per image, one line per box: `class x y width height`, and in detections `class score x y width height`.

Files of annotations and of detections have equal names; an image without a file of detections has none. Coordinates are
pixels of the image; with `corners`, xmin ymin xmax ymax stand for x y width height. A class may contain blanks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.suggestion import suggestion
from stages.datasets.annotation import AnnotatedObject
from stages.datasets.ground_truth import counted, kept_objects
from stages.datasets.reading.text import numbered_lines
from stages.datasets.reading.values import numbers, shown
from stages.evaluation.voc_detections import listed_boxes, nothing_annotated, require_pixels, with_detections
from stages.evaluation.voc_truth import Files, Objects, truth_arrays

SIDES, CORNERS = ("x", "y", "width", "height"), ("xmin", "ymin", "xmax", "ymax")

Line = tuple[str, tuple[float, ...]]
"""Class and numbers."""


def is_text_folder(place: str) -> bool:
    """Whether a folder holds text files and is no data set in VOC layout."""
    folder = Path(place)
    return folder.is_dir() and not (folder / "Annotations").exists() and any(folder.glob("*.txt"))


def read_text_files(detections: Path, annotations: Path, *, corners: bool) -> Files:
    """Read two folders of files per image. Raises PipelineError for a line that cannot be read, and other names."""
    objects = text_objects(annotations, corners=corners)
    files, labels = _files(detections), {name: label for label, name in enumerate(objects.classes)}
    lines = [(file.stem, line) for file in files for line in _lines(file, ("score",), corners)]
    others = sorted({name for _, (name, _) in lines if name not in labels})
    if others and not any(name in labels for _, (name, _) in lines):
        raise PipelineError(
            f"no detection in {detections} has a class of {annotations}; {suggestion(others[0], objects.classes)}"
        )
    rows = [(stem, labels[name], (score, *box)) for stem, (name, (score, *box)) in lines if name in labels]
    boxes, outside = listed_boxes(rows, objects.image_ids)
    absent = len({*objects.image_ids} - {file.stem for file in files})
    notes = [f"{len(lines) - len(rows)} detections are of classes without an object: {', '.join(others[:5])}"] * bool(
        others
    )
    notes += [f"{absent} of {len(objects.image_ids)} images have no file of detections"] * bool(absent)
    return with_detections(objects, boxes, outside, detections, str(annotations), notes)


def text_objects(annotations: Path, *, corners: bool) -> Objects:
    """The objects of a folder of files per image."""
    kept, remarks = {}, []
    for file in _files(annotations):
        lines = _lines(file, (), corners)
        items = [AnnotatedObject(name=name, box_xyxy=(box[0], box[1], box[2], box[3])) for name, box in lines]
        kept[file.stem], defects = kept_objects(items, None)
        remarks += defects
    objects = truth_arrays(kept, notes=counted(remarks))
    if not objects.classes:
        raise nothing_annotated(objects, str(annotations))
    require_pixels(objects.truth.boxes_xyxy, annotations)
    return objects


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise PipelineError(f"{folder} is no folder of files per image, as the annotations are")
    return sorted(folder.glob("*.txt"))


def _lines(file: Path, before: Sequence[str], corners: bool) -> list[Line]:
    read = _reader(file, (*before, *(CORNERS if corners else SIDES)), corners)
    return [read(number, text) for number, text in numbered_lines(file.read_bytes(), str(file))]


def _reader(file: Path, fields: Sequence[str], corners: bool) -> Callable[[int, str], Line]:
    def read(number: int, text: str) -> Line:
        name, *texts = text.rsplit(maxsplit=len(fields))
        try:
            if len(texts) != len(fields):
                raise ValueError(f"it has {len(texts) + 1} words")
            *first, x, y, third, fourth = numbers(texts, fields)
        except ValueError as error:
            wanted = f"class {' '.join(fields)}"
            raise PipelineError(f"{file}, line {number}: expected `{wanted}`, got {shown(text)}: {error}") from error
        return name, (*first, x, y, *((third, fourth) if corners else (x + third, y + fourth)))

    return read
