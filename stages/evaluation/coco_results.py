"""Score a COCO result file against an annotation file; no image is needed.

Results are a list of {"image_id", "category_id", "bbox": [x, y, width, height], "score"}; annotations are COCO's JSON
of instances, read and repaired as in a sharding. Ids of images and categories are compared as numbers where they are
whole: 42, 42.0 and "42" are equal. They are mapped to indices from 0. Results whose category ids look like indices are
refused: if the 80 classes of COCO were numbered from 0 or 1 instead of by their ids 1 to 90, each class would be scored
against another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int
from numpy import ndarray

from pipeline.errors import PipelineError
from ssd_core.metrics.voc_ap import ScoredBoxes
from stages.datasets.annotation import Remark
from stages.datasets.coco.coco_json import CocoFile, parse_coco
from stages.datasets.defects import Kind
from stages.datasets.ground_truth import KeptObject, counted, kept_objects
from stages.datasets.reading.values import shown
from stages.evaluation.coco_ap import CocoResult, evaluate_coco, id_order
from stages.evaluation.coco_input import CocoDetections, CocoObjects
from stages.evaluation.coco_result_entries import Results, read_result_file


@dataclass(frozen=True, kw_only=True)
class CocoScores:
    """Metrics, and notes about ignored entries."""

    result: CocoResult
    classes: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CocoAnnotations:
    """Content of an annotation file."""

    images: Mapping[str, int]
    """Index from 0 of each id (as text), in the order of the ids."""

    categories: Mapping[str, int]
    classes: tuple[str, ...]
    objects: CocoObjects
    notes: tuple[str, ...]


def score_result_file(results: Path, annotations: Path) -> CocoScores:
    """Score a file of detections. Raises PipelineError for an unreadable file or ids that do not match."""
    truth = read_annotations(annotations)
    detections, notes = matched_results(results, truth, annotations)
    result = evaluate_coco(detections, truth.objects, image_count=len(truth.images), class_count=len(truth.categories))
    return CocoScores(result=result, classes=truth.classes, notes=(*truth.notes, *notes))


def matched_results(results: Path, truth: CocoAnnotations, annotations: Path) -> tuple[CocoDetections, list[str]]:
    """Read the detections on the images and categories of the annotations, and describe the others."""
    listed = read_result_file(results)
    if len(listed.scores) and not any(image in truth.images for image in listed.images):
        raise PipelineError(
            f"none of the {len(listed.scores)} detections in {results} is on one of the {len(truth.images)} images of "
            f"{annotations}; the first is on {listed.images[0]!r}"
        )
    images, labels, known, notes = _on_known(listed, truth.images, truth.categories, results, annotations.name)
    detections = CocoDetections(
        images=images, labels=labels, scores=listed.scores[known], boxes_xywh=listed.boxes_xywh[known]
    )
    return detections, [*listed.notes, *notes]


def read_annotations(file: Path) -> CocoAnnotations:
    """Read objects, images and categories of an annotation file; objects on images it does not list are skipped."""
    content = parse_coco(_content(file), str(file))
    categories = {key: name for key, name in content.categories.items() if name}
    images = _numbered([image.image_id for image in content.images], "image", file)
    labels = _numbered(list(categories), "category", file)
    if twice := [name for name, times in Counter(categories.values()).items() if times > 1]:
        raise PipelineError(f"{file} has several categories named {twice[0]!r}")
    orphans = sum(number for _, number in content.orphans)
    annotated = sum(len(image.annotation.objects) for image in content.images)
    if not annotated:
        raise PipelineError(f"{file}: none of its {orphans} annotations is on one of its {len(images)} images")
    kept, remarks = _kept(content, file)
    notes = [f'{file.name}: some image ids are text; 42 and "42" count as equal'] if _mixed(content) else []
    if orphans:
        notes.append(f"{file.name}: {orphans} annotations are on images it does not list: ignored")
    notes += (f"{file.name}: {kind} ({detail})" for kind, detail in content.defects)
    notes += (f"{file.name}: {note}" for note in counted(remarks))
    return CocoAnnotations(
        images=images,
        categories=labels,
        classes=tuple(categories[key] for key in labels),
        objects=_objects(kept, images, {categories[key]: label for key, label in labels.items()}),
        notes=tuple(notes),
    )


def read_results(file: Path, image_ids: Sequence[str], categories: Sequence[str]) -> tuple[ScoredBoxes, int]:
    """Read the detections on the images `image_ids`, and count those on other images.

    A label is the index of the category id in `categories`. Errors as for `score_result_file`; an id that is not in
    `categories` is one too, since a submission holds every detection.
    """
    listed = read_result_file(file)
    images = {image_id: number for number, image_id in enumerate(image_ids)}
    labels = {category: label for label, category in enumerate(categories)}
    if unknown := Counter(category for category in listed.categories if category not in labels):
        raise _unknown(unknown, labels, file, "the benchmark")
    places, found, known, _ = _on_known(listed, images, labels, file, "the benchmark")
    boxes_xywh = listed.boxes_xywh[known]
    boxes = ScoredBoxes(
        images=places,
        labels=found,
        scores=listed.scores[known],
        boxes_xyxy=np.concatenate([boxes_xywh[:, :2], boxes_xywh[:, :2] + boxes_xywh[:, 2:]], axis=1),
    )
    return boxes, len(listed.scores) - len(boxes.scores)


def _on_known(
    listed: Results, images: Mapping[str, int], categories: Mapping[str, int], file: Path, annotations: str
) -> tuple[Int[ndarray, " N"], Int[ndarray, " N"], Bool[ndarray, " M"], list[str]]:
    """Images and labels of the detections that count, which of all M these are, and notes about the others."""
    places = np.array([images.get(image, -1) for image in listed.images], dtype=np.int64)
    labels = np.array([categories.get(category, -1) for category in listed.categories], dtype=np.int64)
    unknown = Counter(listed.categories[each] for each in np.flatnonzero((places >= 0) & (labels < 0)))
    notes = []
    if outside := int((places < 0).sum()):
        notes.append(f"{outside} detections are on images that {annotations} does not list: ignored")
    if unknown:
        if not (labels[places >= 0] >= 0).any() or _look_like_indices({*listed.categories}, categories):
            raise _unknown(unknown, categories, file, annotations)
        notes.append(
            f"{unknown.total()} detections have category ids that {annotations} does not have: ignored; "
            f"{_some(unknown)}"
        )
    known = (places >= 0) & (labels >= 0)
    return places[known], labels[known], known, notes


def _look_like_indices(found: set[str], categories: Mapping[str, int]) -> bool:
    """Whether ids, some of them unknown, are all below or equal to the number of categories, as indices are."""
    return all(category.isdecimal() and int(category) <= len(categories) for category in found)


def _unknown(unknown: Counter[str], categories: Mapping[str, int], file: Path, annotations: str) -> PipelineError:
    return PipelineError(
        f"{file}: {unknown.total()} entries have category ids that {annotations} does not have: {_some(unknown)}. "
        f"Its {len(categories)} ids go from {next(iter(categories))} to {list(categories)[-1]}; "
        "write those ids, not indices into a list of classes"
    )


def _some(unknown: Counter[str]) -> str:
    return ", ".join(sorted(unknown, key=id_order)[:10])


def _kept(content: CocoFile, file: Path) -> tuple[list[tuple[str, KeptObject]], list[Remark]]:
    """The objects to score against, with their image ids, and the defects. Raises PipelineError for odd flags."""
    kept, remarks = list[tuple[str, KeptObject]](), list[Remark]()
    for image in content.images:
        found, defects = kept_objects(image.annotation.objects, image.annotation.size)
        kept += ((image.image_id, item) for item in found)
        remarks += (*image.annotation.remarks, *defects)
    if odd := [remark for remark in remarks if remark.kind is Kind.UNREADABLE_FLAG]:
        raise PipelineError(f"{file}: {odd[0].detail} ({len(odd):,} such flags)")
    return kept, remarks


def _objects(
    kept: Sequence[tuple[str, KeptObject]], images: Mapping[str, int], labels: Mapping[str, int]
) -> CocoObjects:
    boxes_xyxy = np.array([item.box_xyxy for _, item in kept], dtype=np.float64).reshape(-1, 4)
    sides = boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]
    stated = np.array([np.nan if item.annotated.area is None else item.annotated.area for _, item in kept])
    return CocoObjects(
        images=np.array([images[image_id] for image_id, _ in kept], dtype=np.int64),
        labels=np.array([labels[item.name] for _, item in kept], dtype=np.int64),
        boxes_xywh=np.concatenate([boxes_xyxy[:, :2], sides], axis=1),
        area=np.where(np.isnan(stated), sides.prod(axis=1), stated),
        crowd=np.array([item.annotated.crowd or item.annotated.difficult for _, item in kept], dtype=np.bool_),
    )


def _numbered(ids: Sequence[str], what: str, file: Path) -> dict[str, int]:
    if not ids:
        raise PipelineError(f"{file} lists no {what}")
    if twice := [text for text, times in Counter(ids).items() if times > 1]:
        raise PipelineError(f"{file} lists {what} {shown(twice[0])} more than once")
    return {text: number for number, text in enumerate(sorted(ids, key=id_order))}


def _mixed(content: CocoFile) -> bool:
    """Whether some ids of images are text."""
    return any(image.string_id for image in content.images)


def _content(file: Path) -> bytes:
    if not file.is_file():
        raise PipelineError(f"there is no file {file}")
    return file.read_bytes()
