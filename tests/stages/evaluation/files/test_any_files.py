"""Detections and annotations in every form: recognised by the files, and equal in what they mean."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import PipelineError
from stages.evaluation.files.any_files import is_coco, read_any
from stages.evaluation.voc_detections import score

CSV = (
    "image,xmin,ymin,xmax,ymax,class,split\n"
    "a.jpg,1,1,10,10,cat,test\nb.jpg,5,5,20,20,dog,test\nc.jpg,1,1,9,9,cat,train\n"
)
FOUND = (
    "image,class,score,xmin,ymin,xmax,ymax\na.jpg,cat,0.9,1,1,10,10\nb.jpg,dog,0.8,50,50,60,60\nb.jpg,hen,0.7,1,1,5,5\n"
)


@pytest.fixture
def csv(tmp_path: Path) -> tuple[Path, Path]:
    """Detections and annotations; the cat is found, the dog not."""
    files = tmp_path / "found.csv", tmp_path / "boxes.csv"
    for file, text in zip(files, (FOUND, CSV), strict=True):
        file.write_text(text)
    return files


def test_csv_files_are_read_without_images_and_classes_without_objects_are_noted(csv: tuple[Path, Path]) -> None:
    files = read_any(csv[0], str(csv[1]), split="")
    assert (files.classes, files.image_ids, files.pixel_extent) == (("cat", "dog"), ("a.jpg", "b.jpg"), 1.0)
    assert files.notes == ("1 detections are of classes without an object: hen",)
    assert {name: result.ap_area for name, result in score(files).results.items()} == {"cat": 1.0, "dog": 0.0}


def test_the_split_of_a_csv_is_test_or_the_one_named(csv: tuple[Path, Path]) -> None:
    csv[0].write_text(FOUND + "c,cat,0.5,1,1,9,9\n")
    assert read_any(csv[0], str(csv[1]), split="train").image_ids == ("c.jpg",)
    with pytest.raises(PipelineError, match=r"no split 'val'"):
        read_any(csv[0], str(csv[1]), split="val")


def test_a_csv_without_splits_is_one(csv: tuple[Path, Path]) -> None:
    csv[1].write_text("image,xmin,ymin,xmax,ymax,class\na.jpg,1,1,10,10,cat\n")
    assert read_any(csv[0], str(csv[1]), split="").image_ids == ("a.jpg",)


def test_voc_s_files_are_scored_against_a_csv(csv: tuple[Path, Path], tmp_path: Path) -> None:
    folder = tmp_path / "classes"
    folder.mkdir()
    (folder / "det_cat.txt").write_text("a 0.9 1 1 10 10\n")
    (folder / "det_dog.txt").write_text("b 0.9 5 5 20 20\nz 0.8 1 1 2 2\n")
    files = read_any(folder, str(csv[1]), split="")
    assert [result.ap_area for result in score(files).results.values()] == [1.0, 1.0]
    assert "1 detections are on images that split 'test' of boxes.csv does not list" in files.notes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,class,xmin,ymin,xmax,ymax\n", "lacks the columns score; it has image, class"),
        (FOUND.replace("0.9", "high"), r"line 2: score is 'high'"),
        (FOUND.replace("0.9,1", "0.9,wide"), r"line 2: xmin is 'wide'"),
        (FOUND.replace("cat", "kat").replace("dog", "kog"), "no detection .* has a class of split 'test' of boxes.csv"),
        ("image,class,score,xmin,ymin,xmax,ymax\nq,cat,0.9,1,1,2,2\n", "none of the 1 detections"),
        ("image,class,score,xmin,ymin,xmax,ymax\na,cat,0.9,0.1,0.1,0.5,0.9\n", "are fractions of the image"),
    ],
)
def test_a_csv_of_detections_that_cannot_be_used_is_refused_with_the_reason(
    csv: tuple[Path, Path], text: str, message: str
) -> None:
    csv[0].write_text(text)
    with pytest.raises(PipelineError, match=message):
        read_any(csv[0], str(csv[1]), split="")


def test_coco_s_files_are_recognised_by_their_content_and_their_crowds_count_as_difficult(tmp_path: Path) -> None:
    results, annotations = tmp_path / "results", tmp_path / "instances.JSON"
    box = [10, 20, 50, 40]
    results.write_text(json.dumps([{"image_id": 7, "category_id": 18, "bbox": box, "score": 0.5}]))
    content = {
        "images": [{"id": 7}],
        "categories": [{"id": 18, "name": "dog"}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 18, "bbox": box, "area": 2000, "iscrowd": 1}],
    }
    annotations.write_text("\n" + json.dumps(content))
    assert is_coco(results, str(annotations))
    files = read_any(results, str(annotations), split="")
    assert (files.classes, files.image_ids, files.pixel_extent) == (("dog",), ("7",), 0.0)
    assert files.truth.difficult.tolist() == [True]
    np.testing.assert_array_equal(files.detections.boxes_xyxy, [[10, 20, 60, 60]])


def test_one_json_file_beside_something_else_and_other_files_are_refused(
    csv: tuple[Path, Path], tmp_path: Path
) -> None:
    with pytest.raises(PipelineError, match=r"results.json is a JSON file, .* but .*boxes.csv is not"):
        is_coco(tmp_path / "results.json", str(csv[1]))
    with pytest.raises(PipelineError, match=r"instances.json is a JSON file, .* is a folder"):
        is_coco(tmp_path, str(tmp_path / "instances.json"))
    (tmp_path / "notes.txt").write_text("a 0.9 1 1 10 10\n")
    with pytest.raises(PipelineError, match=r"notes.txt is a file: name the folder of the files <name>_<class>.txt, a"):
        is_coco(tmp_path / "notes.txt", str(csv[1]))
