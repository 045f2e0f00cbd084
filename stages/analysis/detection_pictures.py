"""Choosing and drawing what a detector finds: sure detections, right ones, wrong ones by kind, and missed objects.

Tested in tests/stages/analysis/test_draw_detections.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from jaxtyping import Bool, Int
from numpy import ndarray

from pipeline.folder import Folder
from ssd_core.data.shards import ShardSet
from ssd_core.metrics.analysis.findings import Findings, Kind, find
from ssd_core.metrics.analysis.groups import Names, similar_labels
from ssd_core.metrics.voc_ap import ScoredBoxes, TrueBoxes
from stages.detection.table import DETECTIONS
from stages.evaluation.boxes import scored_boxes, true_boxes
from stages.figures.detections import Cutting, Shown, cuttings_figure, detections_figure
from stages.figures.style import to_png

SHEET, CUTTINGS = "detections.png", "right-and-wrong.png"
PICKED = "picked.json"

TITLES = {
    Kind.CORRECT: "right",
    Kind.LOCALISATION: "wrong place\nor duplicate",
    Kind.SIMILAR: "similar class",
    Kind.OTHER: "other class",
    Kind.BACKGROUND: "background",
}
MISSED = "missed"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """How it is chosen; see `stages.analysis.draw_detections.DrawDetections`."""

    min_score: float
    images: int
    columns: int
    seed: int
    similar: tuple[Names, ...]


@dataclass(frozen=True)
class Picked:
    """What is shown."""

    shown: list[Shown]
    kinds: dict[str, list[Cutting]]
    classes: Names

    def told(self) -> dict[str, Any]:
        """Names and boxes, for `picked.json`."""
        return {
            "images": [item.row.image_id for item in self.shown],
            "cuttings": {
                title.replace("\n", " "): [_told(cutting, self.classes) for cutting in each]
                for title, each in self.kinds.items()
            },
        }


def draw(choice: Choice, detections: Folder, shards: Folder, out: Folder) -> None:
    """Write the pictures of one detector on one set of shards."""
    picked = pick(choice, detections, shards)
    if picked.shown:
        sheet = detections_figure(picked.shown, picked.classes)
    else:
        sheet = cuttings_figure({"no sure detection": ()}, picked.classes, columns=1)
    out.write_bytes(SHEET, to_png(sheet, dpi=130))
    out.write_bytes(CUTTINGS, to_png(cuttings_figure(picked.kinds, picked.classes, columns=choice.columns), dpi=130))
    out.write_json(PICKED, picked.told())


def pick(choice: Choice, detections: Folder, shards: Folder) -> Picked:
    """Choose what is shown."""
    rows = ShardSet(shards.path, shards.filesystem)
    numbers, truth = true_boxes(rows)
    with detections.open_input(DETECTIONS) as stream:
        found = scored_boxes(pq.read_table(stream), numbers)
    images = sure_images(found, choice.min_score, count=choice.images, rng=np.random.default_rng(choice.seed))
    shown = [_shown(rows, found, image, choice.min_score) for image in images]
    return Picked(shown, cuttings(found, truth, rows, similar=choice.similar, count=choice.columns), rows.classes)


def sure_images(found: ScoredBoxes, min_score: float, *, count: int, rng: np.random.Generator) -> list[int]:
    """Numbers of images with a detection above the score, drawn without return, in their order."""
    there = np.unique(found.images[found.scores > min_score])
    return sorted(rng.permutation(there)[:count].tolist())


def cuttings(
    found: ScoredBoxes, truth: TrueBoxes, rows: ShardSet, *, similar: tuple[Names, ...], count: int
) -> dict[str, list[Cutting]]:
    """By kind the surest detections, and the largest objects that were missed; of an image at most one of each."""
    judged = [_of_class(found, truth, label, rows.classes, similar) for label in range(len(rows.classes))]
    order = np.concatenate([which for which, _ in judged])
    kinds = np.concatenate([findings.kinds for _, findings in judged])
    picked = {}
    for kind, title in TITLES.items():
        if kind is Kind.SIMILAR and not similar:
            continue
        which = order[kinds == kind]
        surest = which[np.argsort(-found.scores[which], kind="stable")]
        picked[title] = [
            Cutting(
                row=rows.row(int(found.images[number])),
                box_xyxy=found.boxes_xyxy[number],
                label=int(found.labels[number]),
                score=float(found.scores[number]),
            )
            for number in _one_of_each(found.images, surest, count)
        ]
    missed = _missed(truth, [findings for _, findings in judged])
    picked[MISSED] = [
        Cutting(
            row=rows.row(int(truth.images[number])),
            box_xyxy=truth.boxes_xyxy[number],
            label=int(truth.labels[number]),
            score=None,
        )
        for number in _one_of_each(truth.images, missed, count)
    ]
    return picked


def _of_class(
    found: ScoredBoxes, truth: TrueBoxes, label: int, classes: Names, similar: tuple[Names, ...]
) -> tuple[Int[ndarray, " D"], Findings]:
    """Indices of the detections of a class by falling score, and in this order what they are."""
    which = np.flatnonzero(found.labels == label)
    which = which[np.argsort(-found.scores[which], kind="stable")]
    mine = ScoredBoxes(
        images=found.images[which],
        labels=found.labels[which],
        scores=found.scores[which],
        boxes_xyxy=found.boxes_xyxy[which],
    )
    return which, find(mine, truth, label=label, similar=similar_labels(classes[label], classes, similar))


def _missed(truth: TrueBoxes, judged: Iterable[Findings]) -> Int[ndarray, " M"]:
    """Indices of the objects that no detection took and that count, largest first."""
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
    """The first of each image, at most `count` in all."""
    _, first = np.unique(images[ordered], return_index=True)
    chosen: list[int] = ordered[np.sort(first)[:count]].tolist()
    return chosen


def _shown(rows: ShardSet, found: ScoredBoxes, image: int, min_score: float) -> Shown:
    which = (found.images == image) & (found.scores > min_score)
    return Shown(
        row=rows.row(image),
        labels=found.labels[which],
        scores=found.scores[which],
        boxes_xyxy=found.boxes_xyxy[which],
    )


def _told(cutting: Cutting, classes: Names) -> dict[str, Any]:
    return {
        "image_id": cutting.row.image_id,
        "class": classes[cutting.label],
        "score": cutting.score,
        "box_xyxy": [float(value) for value in cutting.box_xyxy],
    }
