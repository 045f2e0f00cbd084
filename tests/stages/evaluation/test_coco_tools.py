"""The fast tool against pycocotools, the reference, on random, real and unusual inputs; and which of them is used."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy import ndarray
from typer.testing import CliRunner

from experiments.cli.main import app
from pipeline.errors import PipelineError
from stages.evaluation.coco_ap import CocoResult, evaluate_coco
from stages.evaluation.coco_fast import judge_by_hotcoco
from stages.evaluation.coco_input import CocoDetections, CocoObjects
from stages.evaluation.coco_reference import judge_by_pycocotools
from stages.evaluation.coco_tools import CHOICE, chosen


def by_both(
    detections: CocoDetections, objects: CocoObjects, images: int, classes: int
) -> tuple[CocoResult, CocoResult]:
    fast, reference = (
        evaluate_coco(detections, objects, image_count=images, class_count=classes, judge=judge)
        for judge in (judge_by_hotcoco, judge_by_pycocotools)
    )
    return fast, reference


def assert_equal_to_the_last_digit(results: tuple[CocoResult, CocoResult]) -> None:
    fast, reference = results
    np.testing.assert_equal(fast.numbers, reference.numbers)
    np.testing.assert_array_equal(fast.ap_per_class, reference.ap_per_class)
    assert len(fast.outcomes) == len(reference.outcomes)
    for one, other in zip(fast.outcomes, reference.outcomes, strict=True):
        for name in ("images", "true", "counted", "object_images"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def drawn(seed: int, *, images: int, classes: int, crowds: float, ties: int) -> tuple[CocoDetections, CocoObjects]:
    """About seven objects in an image and five detections of each, partly of another class, many with equal scores."""
    draw = np.random.default_rng(seed)
    count = 7 * images
    boxes = np.column_stack([draw.uniform(0, 400, (count, 2)), draw.uniform(1, 200, (count, 2))])
    where, labels = draw.integers(0, images, count), draw.integers(0, classes, count)
    objects = CocoObjects(
        images=where,
        labels=labels,
        boxes_xywh=boxes,
        area=boxes[:, 2:].prod(axis=1) * draw.uniform(0.3, 1, count),
        crowd=draw.random(count) < crowds,
    )
    copies = np.repeat(np.arange(count), 5)
    moved = boxes[copies] + draw.normal(0, 8, (len(copies), 4))
    moved[:, 2:] = np.abs(moved[:, 2:])
    other = draw.random(len(copies)) < 0.2
    return CocoDetections(
        images=where[copies],
        labels=np.where(other, draw.integers(0, classes, len(copies)), labels[copies]),
        scores=draw.integers(0, ties, len(copies)) / ties,
        boxes_xywh=moved,
    ), objects


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("crowds", "ties"), [(0.0, 1000), (0.3, 1000), (0.05, 3)])
def test_random_sets_score_equal_to_the_last_digit(seed: int, crowds: float, ties: int) -> None:
    detections, objects = drawn(seed, images=12, classes=5, crowds=crowds, ties=ties)
    assert_equal_to_the_last_digit(by_both(detections, objects, 14, 6))  # two images and a class without objects


def test_more_detections_than_count_score_equally() -> None:
    detections, objects = drawn(0, images=1, classes=1, crowds=0.1, ties=50)
    many = CocoDetections(
        images=np.repeat(detections.images, 20),
        labels=np.repeat(detections.labels, 20),
        scores=np.repeat(detections.scores, 20),
        boxes_xywh=np.repeat(detections.boxes_xywh, 20, axis=0),
    )
    assert len(many.images) == 700
    assert_equal_to_the_last_digit(by_both(many, objects, 1, 1))


@pytest.mark.parametrize("kept", ["no detections", "no objects", "only crowds", "boxes without area"])
def test_unusual_sets_score_equally(kept: str) -> None:
    detections, objects = drawn(1, images=3, classes=2, crowds=0.0, ties=10)
    everything, nothing = np.ones(len(objects.images), bool), np.zeros(0, int)
    if kept == "no detections":
        detections = of_detections(detections, nothing)
    elif kept == "no objects":
        objects = of_objects(objects, nothing, objects.crowd)
    elif kept == "only crowds":
        objects = of_objects(objects, everything, everything)
    else:
        objects.boxes_xywh[:, 2:] = 0
        detections.boxes_xywh[:, 2:] = 0
    assert_equal_to_the_last_digit(by_both(detections, objects, 3, 2))


def of_detections(given: CocoDetections, kept: ndarray) -> CocoDetections:
    return CocoDetections(
        images=given.images[kept],
        labels=given.labels[kept],
        scores=given.scores[kept],
        boxes_xywh=given.boxes_xywh[kept],
    )


def of_objects(given: CocoObjects, kept: ndarray, crowd: ndarray) -> CocoObjects:
    return CocoObjects(
        images=given.images[kept],
        labels=given.labels[kept],
        boxes_xywh=given.boxes_xywh[kept],
        area=given.area[kept],
        crowd=crowd[kept],
    )


def test_the_command_prints_the_same_digits_with_each_tool(
    real_data: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = real_data("coco_eval")
    files = [str(folder / "instances_val2014_fakebbox100_results.json"), str(folder / "instances_val2014_100.json")]
    printed = []
    for tool in ("hotcoco", "pycocotools"):
        monkeypatch.setenv(CHOICE, tool)
        command = ["evaluate", "detections", files[0], "--protocol", "coco", "--annotations", files[1], "--json"]
        printed.append(CliRunner().invoke(app, command).stdout)
    assert json.loads(printed[0])["AP"] == pytest.approx(
        0.5045, abs=1e-3
    )  # expected.json of the official demonstration
    assert printed[0] == printed[1]


def test_the_fast_tool_is_used_where_it_is_installed_and_the_user_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CHOICE, raising=False)
    assert chosen() is judge_by_hotcoco
    monkeypatch.setenv(CHOICE, "pycocotools")
    assert chosen() is judge_by_pycocotools
    monkeypatch.setenv(CHOICE, "cocoapi")
    with pytest.raises(PipelineError, match="SSDPIPE_COCO_TOOL is 'cocoapi': set it to hotcoco"):
        chosen()


def test_without_the_fast_tool_the_reference_computes_and_asking_for_it_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("stages.evaluation.coco_tools.find_spec", lambda name: None)
    monkeypatch.delenv(CHOICE, raising=False)
    assert chosen() is judge_by_pycocotools
    monkeypatch.setenv(CHOICE, "hotcoco")
    with pytest.raises(PipelineError, match=r"pip install 'ssdpipe\[fast-coco\]'"):
        chosen()
