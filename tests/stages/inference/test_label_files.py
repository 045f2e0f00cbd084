"""Labels written beside pictures are read back by the readers of data sets."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from stages.datasets.find import find_data_set
from stages.inference.label_files import common_file, label_file, yolo_lines
from stages.inference.label_format import LabelFormat
from stages.inference.predictor import Predictor


@pytest.mark.parametrize("form", ["voc", "coco", "yolo"])
def test_labels_are_read_back_within_half_a_pixel(
    detector: Predictor, file: Path, tmp_path: Path, form: LabelFormat
) -> None:
    found = detector(file)
    data = tmp_path / "data"
    images = {"voc": "JPEGImages", "coco": "train", "yolo": "images/train"}[form]
    (data / images).mkdir(parents=True)
    shutil.copy(file, data / images / "street.png")
    files = [label_file(found, "street", form), common_file([("street", found)], found.classes, form)]
    renamed = {"labels/street.txt": "labels/train/street.txt", "annotations.json": "annotations/instances_train.json"}
    for path, text in filter(None, files):
        place = data / renamed.get(path, path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    if form == "voc":
        (data / "ImageSets/Main").mkdir(parents=True)
        (data / "ImageSets/Main/train.txt").write_text("street\n")
    source = find_data_set(str(data)).source("train")
    (listed,) = source.listing(source.located()).images
    annotation = (listed.annotation or listed.parse(listed.folder.read_bytes(listed.annotation_file))).in_pixels(
        140, 90
    )
    expected = found.boxes_xyxy.clip(0, [140, 90, 140, 90])
    assert [item.name for item in annotation] == list(found.names)
    np.testing.assert_allclose([item.box_xyxy for item in annotation], expected, rtol=0, atol=0.5)


def test_coco_keeps_the_scores_and_the_place_of_each_picture(detector: Predictor, file: Path) -> None:
    found = detector(file)
    path, text = common_file([("more/street", found)], found.classes, "coco")
    content = json.loads(text)
    assert path == "annotations.json"
    assert [image["file_name"] for image in content["images"]] == ["more/street.png"]
    assert [item["score"] for item in content["annotations"]] == found.scores.tolist()
    assert [item["name"] for item in content["categories"]] == list(found.classes)


def test_a_box_outside_the_picture_is_left_out(detector: Predictor, file: Path) -> None:
    found = detector(file).above(1.0)
    assert yolo_lines(found) == ""
