"""Detections and annotations in any form, recognised by the files.

| detections | annotations |
|---|---|
| a COCO result file | COCO's JSON |
| a folder of VOC's files `<name>_<class>.txt`, or a CSV with scores | a folder in VOC layout, or a CSV |
| a folder of text files per image | a folder of text files per image |
"""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import PipelineError
from stages.datasets.reading.text import decode_beginning
from stages.datasets.voc import annotations_below
from stages.evaluation.files.coco_files import read_coco
from stages.evaluation.files.csv_files import csv_detections, csv_objects
from stages.evaluation.files.text_files import is_text_folder, read_text_files
from stages.evaluation.voc_detections import class_detections, read_files
from stages.evaluation.voc_truth import Files, Objects, truth_arrays, truth_of

OTHER_FILES = "a .csv file or COCO's JSON"
FOLDERS = {
    "detections": "the folder of the files <name>_<class>.txt",
    "annotations": "the folder that contains Annotations and ImageSets",
}


def is_coco(detections: Path, annotations: str) -> bool:
    """Whether both are JSON files, as COCO's are.

    Raises PipelineError when only one is, and for a file that is neither JSON nor CSV.
    """
    places = {"detections": detections, "annotations": Path(annotations)}
    json_files = [name for name, place in places.items() if _is_json(place)]
    if len(json_files) == 1:
        one, other = json_files[0], next(name for name in places if name != json_files[0])
        raise PipelineError(
            f"{places[one]} is a JSON file, as COCO's {one} are, so that the {other} must be one too, but "
            f"{places[other]} is {'a folder' if places[other].is_dir() else 'not'}"
        )
    for name, place in places.items():
        if not json_files and place.is_file() and place.suffix.lower() != ".csv":
            raise PipelineError(f"{place} is a file: name {FOLDERS[name]}, {OTHER_FILES}")
    return bool(json_files)


def refuse_unused(detections: Path, annotations: str, *, split: str, corners: bool) -> None:
    """Raise PipelineError for an option that means nothing for these files."""
    is_text = is_text_folder(annotations)
    if corners and not is_text:
        raise PipelineError(f"--corners is for text files per image, which {annotations} does not hold: leave it out")
    if split and (is_text or is_coco(detections, annotations)):
        raise PipelineError(
            f"--split {split} is for VOC and CSV annotations; {annotations} has no splits: leave it out"
        )


def _is_json(place: Path) -> bool:
    if place.is_file():
        with place.open("rb") as stream:
            return decode_beginning(stream.read(64)).lstrip().startswith(("[", "{")) or place.suffix == ".json"
    return place.suffix == ".json" and not place.is_dir()


def read_any(detections: Path, annotations: str, *, split: str, corners: bool = False) -> Files:
    """Read detections and annotations. Raises PipelineError for what cannot be read or does not fit."""
    if is_coco(detections, annotations):
        return read_coco(detections, Path(annotations))
    if is_text_folder(annotations):
        return read_text_files(detections, Path(annotations), corners=corners)
    if detections.suffix.lower() != ".csv" and not Path(annotations).is_file():
        return read_files(detections, annotations, split or "test")
    objects, place = _objects(annotations, split)
    return (csv_detections if detections.is_file() else class_detections)(detections, objects, place)


def _objects(annotations: str, split: str) -> tuple[Objects, str]:
    if Path(annotations).is_file():
        return csv_objects(Path(annotations), split)
    truth = truth_of(annotations_below(annotations), split or "test")
    return truth_arrays(truth.objects, notes=truth.notes), f"split {split or 'test'!r}"
