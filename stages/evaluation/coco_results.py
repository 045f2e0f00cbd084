"""Score a COCO result file against an annotation file; no image is needed.

Results are a list of {"image_id", "category_id", "bbox": [x, y, width, height], "score"}; annotations are COCO's JSON
of instances. Ids of images and categories are compared as text: 42 and "42" are equal. They are mapped to indices from
0. A category id that the annotations lack is refused: if the 80 classes of COCO were numbered from 0 or 1 instead of by
their ids 1 to 90, each class would be scored against another.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from pipeline.errors import PipelineError
from ssd_core.metrics.voc_ap import ScoredBoxes
from stages.evaluation.coco_ap import CocoDetections, CocoObjects, CocoResult, evaluate_coco, id_order

Entry = Mapping[str, Any]


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
    detections, outside = _detections(results, annotations, truth)
    notes = list(truth.notes)
    if outside:
        notes.append(f"{outside} detections are on images that {annotations.name} does not list: ignored")
    result = evaluate_coco(detections, truth.objects, image_count=len(truth.images), class_count=len(truth.categories))
    return CocoScores(result=result, classes=truth.classes, notes=tuple(notes))


def read_annotations(file: Path) -> CocoAnnotations:
    """Read objects, images and categories of an annotation file; objects on images it does not list are skipped."""
    content = _json(file)
    if not isinstance(content, dict) or any(
        not isinstance(content.get(part), list) for part in ("images", "annotations", "categories")
    ):
        raise PipelineError(
            f"{file} is not a COCO annotation file: it needs lists of images, annotations and categories"
        )
    images = _numbered([image["id"] for image in _with(content["images"], ("id",), file)], "image", file)
    named = {str(item["id"]): str(item["name"]) for item in _with(content["categories"], ("id", "name"), file)}
    categories = _numbered([item["id"] for item in content["categories"]], "category", file)
    if twice := [name for name, times in Counter(named.values()).items() if times > 1]:
        raise PipelineError(f"{file} has several categories named {twice[0]!r}")
    listed = _with(content["annotations"], ("image_id", "category_id", "bbox"), file)
    known = [item for item in listed if str(item["image_id"]) in images]
    if not known:
        raise PipelineError(f"{file}: none of its {len(listed)} annotations is on one of its {len(images)} images")
    _refuse_unknown(known, categories, file, file.name)
    notes = [f'{file.name}: some image ids are text; 42 and "42" count as equal'] if _mixed(content) else []
    if len(known) < len(listed):
        notes.append(f"{file.name}: {len(listed) - len(known)} annotations are on images it does not list: ignored")
    return CocoAnnotations(
        images=images,
        categories=categories,
        classes=tuple(named[key] for key in categories),
        objects=_objects(known, images, categories, file),
        notes=tuple(notes),
    )


def read_results(file: Path, image_ids: Sequence[str], categories: Sequence[str]) -> tuple[ScoredBoxes, int]:
    """Read the detections on the images `image_ids`, and count those on other images.

    A label is the index of the category id in `categories`. Errors as for `score_result_file`.
    """
    listed = _results(file)
    images = {image_id: number for number, image_id in enumerate(image_ids)}
    labels = {category: label for label, category in enumerate(categories)}
    known = [item for item in listed if str(item["image_id"]) in images]
    _refuse_unknown(known, labels, file, "the benchmark")
    boxes_xywh = _boxes(known, file)
    found = ScoredBoxes(
        images=_places(known, "image_id", images),
        labels=_places(known, "category_id", labels),
        scores=_scores(known, file),
        boxes_xyxy=np.concatenate([boxes_xywh[:, :2], boxes_xywh[:, :2] + boxes_xywh[:, 2:]], axis=1),
    )
    return found, len(listed) - len(known)


def _objects(
    listed: Sequence[Entry], images: Mapping[str, int], categories: Mapping[str, int], file: Path
) -> CocoObjects:
    boxes_xywh = _boxes(listed, file)
    return CocoObjects(
        images=_places(listed, "image_id", images),
        labels=_places(listed, "category_id", categories),
        boxes_xywh=boxes_xywh,
        area=np.array([item.get("area", box[2] * box[3]) for item, box in zip(listed, boxes_xywh, strict=True)]),
        crowd=np.array([bool(item.get("iscrowd", 0)) for item in listed]),
    )


def _detections(file: Path, annotations: Path, truth: CocoAnnotations) -> tuple[CocoDetections, int]:
    """Read the detections on the listed images, and count those on other images."""
    listed = _results(file)
    known = [item for item in listed if str(item["image_id"]) in truth.images]
    if listed and not known:
        raise PipelineError(
            f"none of the {len(listed)} detections in {file} is on one of the {len(truth.images)} images of "
            f"{annotations}; the first is on {listed[0]['image_id']!r}"
        )
    _refuse_unknown(known, truth.categories, file, annotations.name)
    return CocoDetections(
        images=_places(known, "image_id", truth.images),
        labels=_places(known, "category_id", truth.categories),
        scores=_scores(known, file),
        boxes_xywh=_boxes(known, file),
    ), len(listed) - len(known)


def _results(file: Path) -> list[Entry]:
    content = _json(file)
    if not isinstance(content, list):
        raise PipelineError(f"{file} is not a COCO result file: it needs a list of detections")
    return _with(content, ("image_id", "category_id", "bbox", "score"), file)


def _scores(listed: Sequence[Entry], file: Path) -> Float[ndarray, " N"]:
    scores = np.array([item["score"] for item in listed], dtype=np.float64)
    if not np.isfinite(scores).all():
        raise PipelineError(f"{file}: detection {int(np.argmin(np.isfinite(scores))) + 1} has no finite score")
    return scores


def _refuse_unknown(listed: Iterable[Entry], categories: Mapping[str, int], file: Path, annotations: str) -> None:
    unknown = Counter(str(item["category_id"]) for item in listed if str(item["category_id"]) not in categories)
    if unknown:
        some = ", ".join(sorted(unknown, key=id_order)[:10])
        raise PipelineError(
            f"{file}: {unknown.total()} entries have category ids that {annotations} does not have: {some}. "
            f"Its {len(categories)} ids go from {next(iter(categories))} to {list(categories)[-1]}; "
            "write those ids, not indices into a list of classes"
        )


def _numbered(ids: Sequence[Any], what: str, file: Path) -> dict[str, int]:
    texts = [str(item) for item in ids]
    if not texts:
        raise PipelineError(f"{file} lists no {what}")
    if twice := [text for text, times in Counter(texts).items() if times > 1]:
        raise PipelineError(f"{file} lists {what} {twice[0]} more than once")
    return {text: number for number, text in enumerate(sorted(texts, key=id_order))}


def _places(listed: Sequence[Entry], field: str, numbers: Mapping[str, int]) -> Int[ndarray, " N"]:
    return np.array([numbers[str(item[field])] for item in listed], dtype=np.int64)


def _boxes(listed: Sequence[Entry], file: Path) -> Float[ndarray, "N 4"]:
    """Boxes as (x, y, width, height); width and height must not be negative."""
    try:
        boxes_xywh = np.array([item["bbox"] for item in listed], dtype=np.float64).reshape(len(listed), 4)
    except (ValueError, TypeError) as error:
        raise PipelineError(f"{file}: every bbox needs four numbers (x, y, width, height)") from error
    valid = np.isfinite(boxes_xywh).all(axis=1) & (boxes_xywh[:, 2:] >= 0).all(axis=1)
    if not valid.all():
        wrong = boxes_xywh[np.argmin(valid)].tolist()
        raise PipelineError(
            f"{file}: bbox {wrong} is not (x, y, width, height) with finite numbers and width and height of at least 0"
        )
    return boxes_xywh


def _mixed(content: Mapping[str, Any]) -> bool:
    """Whether image ids have different types across the lists of images and annotations."""
    types = {type(image["id"]) for image in content["images"]}
    return len(types | {type(item["image_id"]) for item in content["annotations"]}) > 1


def _with(listed: Any, fields: Sequence[str], file: Path) -> list[Entry]:
    """The entries, after checking that each has these fields."""
    for place, item in enumerate(listed):
        if missing := [field for field in fields if not isinstance(item, dict) or field not in item]:
            raise PipelineError(f"{file}: entry {place + 1} of {len(listed)} has no {missing[0]}")
    return list(listed)


def _json(file: Path) -> Any:
    if not file.is_file():
        raise PipelineError(f"there is no file {file}")
    try:
        return json.loads(file.read_bytes())
    except ValueError as error:
        raise PipelineError(f"{file} is not valid JSON: {error}") from error
