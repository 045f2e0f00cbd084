"""Findings on random scenes, compared with plain loops that follow the tool's steps one detection at a time."""

from __future__ import annotations

import numpy as np

from ssd_core.metrics.analysis.findings import FALSE, IGNORED, TRUE, Kind, find
from ssd_core.metrics.voc_ap import ScoredBoxes, TrueBoxes


def overlap(box, other):
    width = min(box[2], other[2]) - max(box[0], other[0]) + 1
    height = min(box[3], other[3]) - max(box[1], other[1]) + 1
    if width <= 0 or height <= 0:
        return 0.0
    areas = sum((b[2] - b[0] + 1) * (b[3] - b[1] + 1) for b in (box, other))
    return width * height / (areas - width * height)


def matched(detections, objects, threshold, weak):
    """Labels of (image, box) by descending score, given objects (image, box, difficult) of one class."""
    taken, labels = set(), []
    for image, box in detections:
        overlaps = {k: overlap(box, objects[k][1]) for k in range(len(objects)) if objects[k][0] == image}
        free = {k: value for k, value in overlaps.items() if value >= threshold and k not in taken}
        if free:
            best = max(free, key=free.get)
            taken.add(best)
            labels.append(IGNORED if objects[best][2] else TRUE)
        else:
            duplicate = any(value >= threshold for value in overlaps.values())
            labels.append(IGNORED if weak and duplicate else FALSE)
    return labels


def kind_of(strong, weak, similar, others):
    if strong >= 0:
        return Kind.CORRECT
    if weak >= 0:
        return Kind.LOCALISATION
    if any(label >= 0 for label in similar):
        return Kind.SIMILAR
    return Kind.OTHER if any(label >= 0 for label in others) else Kind.BACKGROUND


def test_findings_are_those_of_plain_loops():
    met = [kind for seed in range(6) for kind in compared(seed)]
    assert set(met) == set(Kind)


def compared(seed):
    """Compare a random scene and return its kinds."""
    rng = np.random.default_rng(seed)

    def boxes(count):
        corners = rng.integers(1, 50, (count, 2))
        return np.concatenate([corners, corners + rng.integers(5, 30, (count, 2))], 1).astype(float)

    truth = TrueBoxes(
        images=rng.integers(0, 6, 60),
        labels=rng.integers(0, 4, 60),
        boxes_xyxy=boxes(60),
        difficult=rng.random(60) < 0.2,
    )
    detections = ScoredBoxes(
        images=rng.integers(0, 6, 300),
        labels=rng.integers(0, 4, 300),
        scores=rng.integers(0, 40, 300) / 40,
        boxes_xyxy=boxes(300),
    )
    order = np.argsort(-detections.scores, kind="stable")
    mine = [(detections.images[k], detections.boxes_xyxy[k]) for k in order if detections.labels[k] == 1]
    objects = {
        label: [
            (truth.images[k], truth.boxes_xyxy[k], truth.difficult[k]) for k in range(60) if truth.labels[k] == label
        ]
        for label in range(4)
    }
    strong = matched(mine, objects[1], 0.5, weak=False)
    weak = {label: matched(mine, objects[label], 0.1, weak=True) for label in range(4)}
    expected = [kind_of(strong[k], weak[1][k], [weak[2][k]], [weak[0][k], weak[3][k]]) for k in range(len(mine))]

    result = find(detections, truth, label=1, similar=frozenset({2}))
    assert result.strong.tolist() == strong
    assert result.weak.tolist() == weak[1]
    assert result.kinds.tolist() == expected
    return expected
