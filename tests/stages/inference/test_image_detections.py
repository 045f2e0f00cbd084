"""The result of one picture prints, draws and converts itself."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import PipelineError
from ssd_core.spec.vocabularies import COCO_CLASSES
from stages.inference.image_detections import ImageDetections
from stages.inference.predictor import Predictor


def two(**changes: object) -> ImageDetections:
    """A dog and a cat in a black picture of 200x100 pixels; the cat extends beyond it."""
    fields: dict[str, Any] = {
        "boxes_xyxy": np.array([[10, 20, 60, 90], [150, -5, 210.5, 40]], np.float32),
        "labels": np.array([1, 0]),
        "scores": np.array([0.875, 0.5], np.float32),
        "classes": ("cat", "dog"),
        "width": 200,
        "height": 100,
        "name": "street.jpg",
        "picture": np.zeros((100, 200, 3), np.uint8),
    }
    return ImageDetections(**fields | changes)


def test_it_prints_a_line_for_each_detection() -> None:
    assert str(two()).splitlines() == [
        "street.jpg, 200x100: 2 detections",
        "  dog  0.875    10.0   20.0   60.0   90.0",
        "  cat  0.500   150.0   -5.0  210.5   40.0",
    ]
    assert str(two().above(0.5)).splitlines()[0] == "street.jpg, 200x100: 1 detection"


def test_it_is_a_sequence_of_plain_values() -> None:
    assert len(two()) == 2
    assert [tuple(item) for item in two()] == [
        ("dog", 0.875, (10, 20, 60, 90)),
        ("cat", 0.5, (150, -5, 210.5, 40)),
    ]
    assert two().names == ("dog", "cat")


def test_it_converts_to_plain_values_for_json() -> None:
    assert json.loads(json.dumps(two().above(0.6).to_dict())) == {
        "image": "street.jpg",
        "width": 200,
        "height": 100,
        "detections": [{"class": "dog", "score": 0.875, "box_xyxy": [10, 20, 60, 90]}],
    }


def test_entries_of_coco_have_sides_and_the_ids_of_coco_for_its_classes() -> None:
    assert two().to_coco(7)[0] == {"image_id": 7, "category_id": 2, "bbox": [10, 20, 50, 70], "score": 0.875}
    labels = np.array([COCO_CLASSES.index("toothbrush"), COCO_CLASSES.index("person")])
    entries = two(classes=COCO_CLASSES, labels=labels).to_coco()
    assert [entry["category_id"] for entry in entries] == [90, 1]


def test_crops_are_the_parts_inside_the_picture() -> None:
    assert [crop.size for crop in two().crops()] == [(50, 70), (50, 40)]


def test_drawing_leaves_the_picture_unchanged_and_marks_both_boxes() -> None:
    found = two()
    drawn = np.asarray(found.drawn())
    assert drawn.shape == (300, 600, 3)  # magnified to at least 480 pixels
    assert not np.asarray(found.picture).any()
    assert drawn[100, 20:40].any()  # left side of the dog's box
    assert not drawn[150, 100:140].any()  # its inside


def test_without_supervision_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "supervision", None)  # as if it were not installed
    with pytest.raises(PipelineError, match="pip install supervision"):
        two().to_supervision()


def test_it_converts_to_supervision_where_that_is_installed() -> None:
    pytest.importorskip("supervision")
    converted = two().to_supervision()
    np.testing.assert_array_equal(converted.xyxy, two().boxes_xyxy)
    assert converted.class_id.tolist() == [1, 0]
    assert converted.data["class_name"].tolist() == ["dog", "cat"]


def test_a_picture_without_detections_converts_too(detector: Predictor, file: Path) -> None:
    found = detector(file).above(1.0)
    assert (len(found), found.to_coco(), found.crops(), list(found)) == (0, [], [], [])
    assert found.drawn().size == (560, 360)
