"""Score detection files of the VOC devkit against the annotations of a VOC folder; no image is needed.

Each class has one text file, `<any name>_<class>.txt` such as comp4_det_test_cat.txt, with one detection per line:
`image_id score xmin ymin xmax ymax`, in the pixel frame of the annotations. The last five words are the numbers: an id
may contain blanks. It may have the extension of an image, or lack it. No detection is clipped or dropped; the annotated
objects are repaired as in a sharding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from pipeline.errors import PipelineError
from pipeline.suggestion import suggestion
from ssd_core.metrics.voc_ap import ClassResult, ScoredBoxes, evaluate
from stages.datasets.reading.names import match_names
from stages.datasets.reading.text import numbered_lines
from stages.datasets.reading.values import numbers, shown
from stages.datasets.voc import annotations_below
from stages.evaluation.voc_truth import Files, Objects, truth_arrays, truth_of

SHOWN = 5
"""Number of names listed in a message."""

FIELDS = ("score", "xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Results of the classes that have objects in the split."""

    results: Mapping[str, ClassResult]
    notes: tuple[str, ...]
    """Sentences about ignored files and detections."""


def score_files(detections: Path, annotations: str, split: str, *, pixel_tolerance: float = 0.0) -> Scores:
    """Score all files of a folder on a split; errors as in `read_files`, tolerance as in `evaluate`."""
    return score(read_files(detections, annotations, split), pixel_tolerance=pixel_tolerance)


def score(files: Files, *, iou_threshold: float = 0.5, pixel_tolerance: float = 0.0) -> Scores:
    """Score detections; arguments as for `evaluate`."""
    results = evaluate(
        files.detections,
        files.truth,
        class_count=len(files.classes),
        iou_threshold=iou_threshold,
        pixel_extent=files.pixel_extent,
        pixel_tolerance=pixel_tolerance,
    )
    return Scores(results=dict(zip(files.classes, results, strict=True)), notes=files.notes)


def read_files(detections: Path, annotations: str, split: str) -> Files:
    """Read all files of a folder and the objects of a split.

    Raises PipelineError for missing annotations, a class without a file, and an unreadable line.
    """
    if Path(annotations).is_file():
        raise PipelineError(f"{annotations} is a file: name the folder that contains Annotations and ImageSets")
    truth = truth_of(annotations_below(annotations), split)
    return class_detections(detections, truth_arrays(truth.objects, notes=truth.notes), f"split {split!r}")


def class_detections(detections: Path, objects: Objects, place: str) -> Files:
    """Read a folder of one file per class against the objects of `place`. Errors as in `read_files`."""
    if not objects.classes:
        raise nothing_annotated(objects, place)
    files, others = class_files(detections, objects.classes)
    boxes, outside = read_detections([files[name] for name in objects.classes], objects.image_ids)
    notes = [f"{name}: no object of its class is in {place}" for name in others]
    return with_detections(objects, boxes, outside, detections, place, notes)


def nothing_annotated(objects: Objects, place: str) -> PipelineError:
    return PipelineError(
        f"the {len(objects.image_ids)} images of {place} hold no object: there is nothing to evaluate against"
        + "".join(f"; {note}" for note in objects.notes)
    )


def with_detections(
    objects: Objects, boxes: ScoredBoxes, outside: int, detections: Path, place: str, notes: Sequence[str] = ()
) -> Files:
    """Add detections, `outside` of which are on other images. Raises PipelineError if all are, or not in pixels."""
    if not len(boxes.scores) and outside:
        raise PipelineError(
            f"none of the {outside} detections in {detections} is on an image of {place}, "
            f"which lists {_shown(objects.image_ids)}; name another with --split"
        )
    require_pixels(boxes.boxes_xyxy, detections)
    others = [f"{outside} detections are on images that {place} does not list"] if outside else []
    return Files(
        detections=boxes,
        truth=objects.truth,
        classes=objects.classes,
        image_ids=objects.image_ids,
        pixel_extent=objects.pixel_extent,
        notes=(*objects.notes, *notes, *others),
    )


def require_pixels(boxes_xyxy: Float64[ndarray, "N 4"], place: Path) -> None:
    """Raise PipelineError if no box reaches beyond the first pixel: they would all count as wrong."""
    if len(boxes_xyxy) and boxes_xyxy.max() <= 1:
        raise PipelineError(f"the boxes in {place} are fractions of the image, as YOLO writes them: write pixels")


def class_files(detections: Path, classes: Sequence[str]) -> tuple[dict[str, Path], list[str]]:
    """The file of each class, and the names of files that belong to no class."""
    if detections.is_file():
        raise PipelineError(f"{detections} is a file: name the folder of the files <name>_<class>.txt")
    if not detections.is_dir():
        raise PipelineError(f"there is no folder {detections} with detections")
    files = sorted(detections.glob("*.txt"))
    named = {file: _class_of(file, classes) for file in files}
    if not any(named.values()):
        raise PipelineError(
            f"no file in {detections} is named *_<class>.txt after one of the {len(classes)} classes: there "
            f"{'are ' + _shown([file.name for file in files]) if files else 'is no .txt' + _below(detections)}; "
            f"the classes are {_shown(classes)}"
        )
    counts = Counter(name for name in named.values() if name)
    for name in classes:
        if counts[name] != 1:
            matching = ", ".join(file.name for file in files if named[file] == name)
            hint = matching or suggestion(f"_{name}.txt", (file.name for file in files))
            raise PipelineError(f"{detections} needs one file *_{name}.txt, but has {counts[name]}: {hint}")
    return {name: file for file, name in named.items() if name}, [file.name for file in files if not named[file]]


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _below(folder: Path) -> str:
    """Hint at the folder one level down that holds text files, as an unpacked archive leaves it."""
    inner = next((file.parent for file in sorted(folder.glob("*/*.txt"))), None)
    return f", but {inner} has some" if inner else ""


def _class_of(file: Path, classes: Sequence[str]) -> str:
    """The longest class name that the file's name ends with: `sports_car` before `car`."""
    fitting = [name for name in classes if file.stem == name or file.stem.endswith(f"_{name}")]
    return max(fitting, key=len, default="")


def read_detections(files: Sequence[Path], ids: Sequence[str]) -> tuple[ScoredBoxes, int]:
    """Read the detections on the images `ids`, labelled by the index of their file; count those on other images."""
    return listed_boxes(
        ((name, label, values) for label, file in enumerate(files) for name, values in _lines(file)), ids
    )


def listed_boxes(rows: Iterable[tuple[str, int, Sequence[float]]], ids: Sequence[str]) -> tuple[ScoredBoxes, int]:
    """Detections from rows of image, label, and score with corners; and the number of those on other images."""
    indices = {image_id: index for index, image_id in enumerate(ids)}
    listed = list(rows)
    meant = match_names((name for name, _, _ in listed), ids)
    known = [(indices[meant[name]], label, values) for name, label, values in listed if name in meant]
    values = np.array([values for _, _, values in known], dtype=np.float64).reshape(-1, 5)
    boxes = ScoredBoxes(
        images=np.array([index for index, _, _ in known], dtype=np.int64),
        labels=np.array([label for _, label, _ in known], dtype=np.int64),
        scores=values[:, 0],
        boxes_xyxy=values[:, 1:],
    )
    return boxes, len(listed) - len(known)


def _lines(file: Path) -> list[tuple[str, tuple[float, ...]]]:
    """Image and numbers of each line."""
    return [_line(text, file, number) for number, text in numbered_lines(file.read_bytes(), str(file))]


def _line(text: str, file: Path, number: int) -> tuple[str, tuple[float, ...]]:
    image_id, *texts = text.rsplit(maxsplit=len(FIELDS))
    try:
        if len(texts) != len(FIELDS):
            raise ValueError(f"it has {len(texts) + 1} words")
        return image_id, numbers(texts, FIELDS)
    except ValueError as error:
        raise PipelineError(
            f"{file}, line {number}: expected `id {' '.join(FIELDS)}`, got {shown(text)}: {error}"
        ) from error
