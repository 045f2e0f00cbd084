"""Score detection files of the VOC devkit against the annotations of a VOC folder; no image is needed.

Each class has one text file, `<any name>_<class>.txt` such as comp4_det_test_cat.txt, with one detection per line:
`image_id score xmin ymin xmax ymax`, in the pixel frame of the annotations. The last five words are the numbers: an id
may contain blanks. It may have the extension of an image, or lack it. No detection is clipped or dropped; the annotated
objects are repaired as in a sharding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.errors import PipelineError
from pipeline.suggestion import suggestion
from ssd_core.metrics.voc_ap import ClassResult, ScoredBoxes, TrueBoxes, evaluate
from stages.datasets.ground_truth import KeptObject
from stages.datasets.reading.names import match_names
from stages.datasets.reading.text import numbered_lines
from stages.datasets.reading.values import numbers, shown
from stages.datasets.voc import annotations_below
from stages.evaluation.voc_truth import truth_of

SHOWN = 5
"""Number of names listed in a message."""

FIELDS = ("score", "xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Results of the classes that have objects in the split."""

    results: Mapping[str, ClassResult]
    notes: tuple[str, ...]
    """Sentences about ignored files and detections."""


@dataclass(frozen=True, kw_only=True)
class Files:
    """The detections of a detector's files and the objects of a split, as arrays."""

    detections: ScoredBoxes
    truth: TrueBoxes
    classes: tuple[str, ...]
    """Classes with objects in the split, sorted; labels index this tuple."""

    images: int
    notes: tuple[str, ...]


def score_files(detections: Path, annotations: str, split: str, *, pixel_tolerance: float = 0.0) -> Scores:
    """Score all files of a folder on a split; errors as in `read_files`, tolerance as in `evaluate`."""
    files = read_files(detections, annotations, split)
    classes = len(files.classes)
    results = evaluate(files.detections, files.truth, class_count=classes, pixel_tolerance=pixel_tolerance)
    return Scores(results=dict(zip(files.classes, results, strict=True)), notes=files.notes)


def read_files(detections: Path, annotations: str, split: str) -> Files:
    """Read all files of a folder and the objects of a split.

    Raises PipelineError for missing annotations, a class without a file, and an unreadable line.
    """
    if Path(annotations).is_file():
        raise PipelineError(f"{annotations} is a file: name the folder that contains Annotations and ImageSets")
    folder = annotations_below(annotations)
    truth = truth_of(folder, split)
    ids, objects = list(truth.objects), list(truth.objects.values())
    classes = tuple(sorted({item.name for items in objects for item in items}))
    if not classes:
        raise PipelineError(
            f"the {len(ids)} images of split {split!r} hold no object: there is nothing to evaluate against"
            + "".join(f"; {note}" for note in truth.notes)
        )
    files, others = class_files(detections, classes)
    boxes, outside = read_detections([files[name] for name in classes], ids)
    if not len(boxes.scores) and outside:
        raise PipelineError(
            f"none of the {outside} detections in {detections} is on an image of split {split!r}, "
            f"which lists {_shown(ids)}; name another with --split"
        )
    notes = [*truth.notes]
    notes += [f"{name}: no object of its class is in split {split!r}" for name in others]
    notes += [f"{outside} detections are on images that split {split!r} does not list"] if outside else []
    return Files(
        detections=boxes, truth=_true_boxes(objects, classes), classes=classes, images=len(ids), notes=tuple(notes)
    )


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
            f"{'are ' + _shown([file.name for file in files]) if files else 'is no .txt'}; "
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


def _class_of(file: Path, classes: Sequence[str]) -> str:
    """The longest class name that the file's name ends with: `sports_car` before `car`."""
    fitting = [name for name in classes if file.stem == name or file.stem.endswith(f"_{name}")]
    return max(fitting, key=len, default="")


def read_detections(files: Sequence[Path], ids: Sequence[str]) -> tuple[ScoredBoxes, int]:
    """Read the detections on the images `ids`, labelled by the index of their file; count those on other images."""
    indices = {image_id: index for index, image_id in enumerate(ids)}
    rows = [(label, name, values) for label, file in enumerate(files) for name, values in _lines(file)]
    meant = match_names((name for _, name, _ in rows), ids)
    known = [(indices[meant[name]], label, values) for label, name, values in rows if name in meant]
    values = np.array([values for _, _, values in known], dtype=np.float64).reshape(-1, 5)
    boxes = ScoredBoxes(
        images=np.array([index for index, _, _ in known], dtype=np.int64),
        labels=np.array([label for _, label, _ in known], dtype=np.int64),
        scores=values[:, 0],
        boxes_xyxy=values[:, 1:],
    )
    return boxes, len(rows) - len(known)


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


def _true_boxes(objects: Sequence[Sequence[KeptObject]], classes: Sequence[str]) -> TrueBoxes:
    labels = {name: label for label, name in enumerate(classes)}
    listed = [(number, item) for number, items in enumerate(objects) for item in items]
    return TrueBoxes(
        images=np.array([number for number, _ in listed], dtype=np.int64),
        labels=np.array([labels[item.name] for _, item in listed], dtype=np.int64),
        boxes_xyxy=np.array([item.box_xyxy for _, item in listed], dtype=np.float64),
        difficult=np.array([item.annotated.difficult for _, item in listed], dtype=np.bool_),
    )
