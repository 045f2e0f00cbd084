"""Select and draw a detector's results: confident detections, right and wrong ones by kind, and missed objects.

Tested in tests/stages/analysis/test_draw_detections.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from pipeline.folder import Folder
from ssd_core.data.shards import Row, ShardSet
from ssd_core.metrics.analysis.findings import STRONG, Findings, Kind, find
from ssd_core.metrics.analysis.groups import Names, similar_labels
from ssd_core.metrics.overlaps import pairs_in_images
from ssd_core.metrics.voc_ap import ScoredBoxes, TrueBoxes
from stages.evaluation.boxes import stored_boxes, true_boxes
from stages.figures.detections import Crop, Shown, crops_figure, detections_figure
from stages.figures.style import to_jpeg

SHEET, CROPS = "detections.jpg", "right-and-wrong.jpg"
PICKED = "picked.json"

TITLES = {
    Kind.CORRECT: "right",
    Kind.LOCALISATION: "wrong place\nor duplicate",
    Kind.SIMILAR: "similar class",
    Kind.OTHER: "other class",
    Kind.BACKGROUND: "background",
}
WRONG_CLASS = "wrong class"
"""Title of `Kind.OTHER` where no classes are similar."""

MISSED = "missed"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """How pictures are selected; see `stages.analysis.draw_detections.DrawDetections`."""

    min_score: float
    images: int
    columns: int
    seed: int
    similar: tuple[Names, ...]
    iou: float = STRONG
    """Minimum overlap of a correct detection."""

    pixel_extent: float = 1.0
    """Added to xmax - xmin to give a width: 1 for VOC pixels, 0 for continuous coordinates."""


class Rows(Protocol):
    """Images by their number in the detections and objects."""

    @property
    def classes(self) -> Names: ...

    def row(self, index: int) -> Row: ...


@dataclass(frozen=True)
class Picked:
    """The images and crops to show."""

    shown: list[Shown]
    kinds: dict[str, list[Crop]]
    classes: Names

    def document(self) -> dict[str, Any]:
        """Image ids, classes, scores and boxes, for `picked.json`."""
        return {
            "images": [item.row.image_id for item in self.shown],
            "cuttings": {
                title.replace("\n", " "): [_entry(crop, self.classes) for crop in each]
                for title, each in self.kinds.items()
            },
        }


def draw(choice: Choice, detections: Folder, shards: Folder, out: Folder) -> None:
    """Write the pictures of one detector on one set of shards; one that would be empty is not written."""
    write(pick_from_shards(choice, detections, shards), out)


def write(picked: Picked, out: Folder) -> list[str]:
    """Write the pictures that show something and the list of their content; return the names of the pictures."""
    figures = {}
    if picked.shown:
        figures[SHEET] = detections_figure(picked.shown, picked.classes)
    if picked.kinds:
        figures[CROPS] = crops_figure(picked.kinds, picked.classes)
    for name, figure in figures.items():
        out.write_bytes(name, to_jpeg(figure))
    out.write_json(PICKED, picked.document())
    return list(figures)


def pick_from_shards(choice: Choice, detections: Folder, shards: Folder) -> Picked:
    """Select what to show of detections on shards."""
    rows = ShardSet(shards.path, shards.filesystem)
    numbers, truth = true_boxes(rows)
    found = stored_boxes(detections, numbers)
    return pick(choice, found, truth, rows)


def pick(choice: Choice, found: ScoredBoxes, truth: TrueBoxes, rows: Rows) -> Picked:
    """Select what to show."""
    images = confident_images(found, choice.min_score, count=choice.images, rng=np.random.default_rng(choice.seed))
    shown = [_shown(rows, found, image, choice.min_score) for image in images]
    return Picked(shown, crops(choice, found, truth, rows), rows.classes)


def confident_images(found: ScoredBoxes, min_score: float, *, count: int, rng: np.random.Generator) -> list[int]:
    """Indices of images with a detection above the score, sampled without replacement, ascending."""
    candidates = np.unique(found.images[found.scores > min_score])
    return sorted(rng.permutation(candidates)[:count].tolist())


def crops(choice: Choice, found: ScoredBoxes, truth: TrueBoxes, rows: Rows) -> dict[str, list[Crop]]:
    """Detections with the highest scores by kind, and the largest missed objects; at most one per kind and image.

    Kinds without any are left out.
    """
    judged = [_of_class(choice, found, truth, rows.classes, label=label) for label in range(len(rows.classes))]
    order = np.concatenate([which for which, _ in judged])
    kinds = np.concatenate([findings.kinds for _, findings in judged])
    picked = {}
    for kind, title in titles(choice.similar).items():
        which = order[kinds == kind]
        surest = which[np.argsort(-found.scores[which], kind="stable")]
        picked[title] = [
            _crop(choice, found, number, rows, kind) for number in _one_of_each(found.images, surest, choice.columns)
        ]
    missed = _missed(truth, [findings for _, findings in judged])
    picked[MISSED] = [
        Crop(
            row=rows.row(int(truth.images[number])),
            box_xyxy=truth.boxes_xyxy[number],
            label=int(truth.labels[number]),
            score=None,
        )
        for number in _one_of_each(truth.images, missed, choice.columns)
    ]
    return {title: each for title, each in picked.items() if each}


def _crop(choice: Choice, found: ScoredBoxes, number: int, rows: Rows, kind: Kind) -> Crop:
    row, box_xyxy = rows.row(int(found.images[number])), found.boxes_xyxy[number]
    wrong_class = kind in (Kind.SIMILAR, Kind.OTHER)
    return Crop(
        row=row,
        box_xyxy=box_xyxy,
        label=int(found.labels[number]),
        score=float(found.scores[number]),
        true_label=_most_overlapped(row, box_xyxy, choice.pixel_extent) if wrong_class else None,
    )


def _most_overlapped(row: Row, box_xyxy: Float[ndarray, " 4"], pixel_extent: float) -> int:
    """Class of the object of the image that the box overlaps most."""
    same_image = np.zeros(len(row.labels), np.int64)
    pairs = pairs_in_images(np.zeros(1, np.int64), box_xyxy[None], same_image, row.boxes_xyxy, pixel_extent)
    return int(row.labels[pairs.objects[pairs.overlaps.argmax()]])


def titles(similar: tuple[Names, ...]) -> dict[Kind, str]:
    """Titles of the kinds; without similar classes there is only one kind of wrong class."""
    return TITLES if similar else {**TITLES, Kind.OTHER: WRONG_CLASS}


def _of_class(
    choice: Choice, found: ScoredBoxes, truth: TrueBoxes, classes: Names, *, label: int
) -> tuple[Int[ndarray, " D"], Findings]:
    """Indices of the detections of a class by descending score, and their findings in this order."""
    which = np.flatnonzero(found.labels == label)
    which = which[np.argsort(-found.scores[which], kind="stable")]
    own = ScoredBoxes(
        images=found.images[which],
        labels=found.labels[which],
        scores=found.scores[which],
        boxes_xyxy=found.boxes_xyxy[which],
    )
    return which, find(
        own,
        truth,
        label=label,
        similar=similar_labels(classes[label], classes, choice.similar),
        iou_threshold=choice.iou,
        pixel_extent=choice.pixel_extent,
    )


def _missed(truth: TrueBoxes, judged: Iterable[Findings]) -> Int[ndarray, " M"]:
    """Indices of the objects that count and that no detection matched, largest first."""
    missed: Bool[ndarray, " G"] = np.zeros(len(truth.labels), bool)
    by_image = np.argsort(truth.images, kind="stable")  # the order of the objects in findings
    for label, findings in enumerate(judged):
        own = by_image[truth.labels[by_image] == label]
        missed[own] = ~findings.difficult
        missed[own[findings.taken[findings.taken >= 0]]] = False
    which = np.flatnonzero(missed)
    sides = truth.boxes_xyxy[which, 2:] - truth.boxes_xyxy[which, :2]
    return which[np.argsort(-sides.prod(axis=1), kind="stable")]


def _one_of_each(images: Int[ndarray, " N"], ordered: Int[ndarray, " M"], count: int) -> list[int]:
    """The first entry of each image, at most `count` in total."""
    _, first = np.unique(images[ordered], return_index=True)
    chosen: list[int] = ordered[np.sort(first)[:count]].tolist()
    return chosen


def _shown(rows: Rows, found: ScoredBoxes, image: int, min_score: float) -> Shown:
    which = (found.images == image) & (found.scores > min_score)
    return Shown(
        row=rows.row(image),
        labels=found.labels[which],
        scores=found.scores[which],
        boxes_xyxy=found.boxes_xyxy[which],
    )


def _entry(crop: Crop, classes: Names) -> dict[str, Any]:
    return {
        "image_id": crop.row.image_id,
        "class": classes[crop.label],
        "score": crop.score,
        "box_xyxy": [float(value) for value in crop.box_xyxy],
    }
