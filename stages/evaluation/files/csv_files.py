"""CSV files of annotations, and of detections: these have a column `score`, as those of `ssdpipe detect --csv`.

Annotations are read and repaired as in a sharding; no image is needed.

Tested in tests/stages/evaluation/files/test_any_files.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.suggestion import suggestion
from stages.datasets.annotation import Annotation
from stages.datasets.csv_files.csv_boxes import CsvBoxes
from stages.datasets.csv_files.csv_columns import lacking
from stages.datasets.csv_files.csv_rows import image_of, objects_of
from stages.datasets.csv_files.csv_table import BadRow, CsvTable, read_table, refuse, splits_of
from stages.datasets.ground_truth import counted, kept_objects
from stages.datasets.reading.values import number as number_of
from stages.evaluation.voc_detections import listed_boxes, nothing_annotated, with_detections
from stages.evaluation.voc_truth import Files, Objects, truth_arrays

SCORE = "score"


def csv_objects(file: Path, split: str) -> tuple[Objects, str]:
    """The objects of a split, and its description; without a name the split is `test`, or the only one."""
    folder = Folder(str(file.resolve().parent))
    splits = splits_of(folder, file.name)
    chosen = split or (splits[0] if len(splits) == 1 else "test")
    source = CsvBoxes(name=file.stem, root=folder.path, split=chosen, only=file.name)
    kept, remarks = {}, []
    for image in source.listing(folder).images:
        annotation = image.annotation or Annotation(size=None, objects=())
        kept[image.image_id], defects = kept_objects(annotation.objects, annotation.size)
        remarks += [*annotation.remarks, *defects]
    objects, place = truth_arrays(kept, notes=counted(remarks)), f"split {chosen!r} of {file.name}"
    if not objects.classes:
        raise nothing_annotated(objects, place)
    return objects, place


def csv_detections(file: Path, objects: Objects, place: str) -> Files:
    """The detections of a file. Raises PipelineError that lists the rows that cannot be read."""
    folder = Folder(str(file.resolve().parent))
    table = read_table(folder, file.name)
    absent = [*lacking(table.columns), *([] if SCORE in table.columns else [SCORE])]
    if absent:
        has = ", ".join(table.columns) or "none"
        raise PipelineError(f"{file} holds no detections: it lacks the columns {', '.join(absent)}; it has {has}")
    labels = {name: label for label, name in enumerate(objects.classes)}
    listed = list(_rows(folder, file.name, table))
    others = sorted({name for _, name, _ in listed if name not in labels})
    if others and not any(name in labels for _, name, _ in listed):
        raise PipelineError(f"no detection in {file} has a class of {place}; {suggestion(others[0], objects.classes)}")
    rows = [(image, labels[name], values) for image, name, values in listed if name in labels]
    boxes, outside = listed_boxes(rows, objects.image_ids)
    notes = [f"{len(listed) - len(rows)} detections are of classes without an object: {', '.join(others[:5])}"]
    return with_detections(objects, boxes, outside, file, place, notes if others else ())


def _rows(folder: Folder, file: str, table: CsvTable) -> Iterator[tuple[str, str, tuple[float, ...]]]:
    """Image, class, and score with corners of each row."""
    bad = [*table.bad]
    for number, row in table.rows():
        try:
            for item in objects_of(row):
                yield image_of(row), item.name, (number_of(row[SCORE], SCORE), *(item.box_xyxy or ()))
        except ValueError as error:
            bad.append(BadRow(number, str(error)))
    refuse(folder, file, bad)
