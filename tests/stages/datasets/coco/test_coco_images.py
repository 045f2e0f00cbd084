"""Which file a name in COCO's JSON means, as `ssdpipe data check` reports it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from experiments.cli.main import app

Build = Callable[[dict[str, list[str]], list[str]], Path]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Write a JSON for each split with these names, and these image files; returns the root."""

    def write(splits: dict[str, list[str]], files: list[str]) -> Path:
        (tmp_path / "annotations").mkdir()
        for split, names in splits.items():
            images = [{"id": number, "file_name": name} for number, name in enumerate(names, start=1)]
            objects = [
                {"id": each["id"], "image_id": each["id"], "category_id": 1, "bbox": [1, 1, 9, 9]} for each in images
            ]
            content = {"images": images, "annotations": objects, "categories": [{"id": 1, "name": "cat"}]}
            (tmp_path / f"annotations/instances_{split}.json").write_text(json.dumps(content))
        for number, file in enumerate(files):
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (40, 30), (number, 0, 0)).save(tmp_path / file)
        return tmp_path

    return write


def checked(root: Path, split: str = "train") -> dict[str, Any]:
    result = CliRunner().invoke(app, ["data", "check", str(root), "--split", split, "--json"])
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("a.jpg", "images/train/a.jpg"),
        ("a.jpg", "train/a.jpg"),
        ("a.jpg", "images/a.jpg"),
        ("a.jpg", "a.jpg"),
        ("./a.jpg", "images/train/a.jpg"),
        ("images/train/a.jpg", "images/train/a.jpg"),
        ("images\\train\\a.jpg", "images/train/a.jpg"),
        ("train/a.jpg", "images/train/a.jpg"),
        ("day/cam1/a.jpg", "images/train/day/cam1/a.jpg"),
        ("a.jpg", "images/train/day/cam1/a.jpg"),
        ("pictures/deep/a.jpg", "pictures/deep/a.jpg"),
        ("images/val/a.jpg", "images/val/a.jpg"),
        (" a.jpg", "images/train/a.jpg"),
    ],
)
def test_a_name_means_the_file_at_that_path(build: Build, name: str, file: str) -> None:
    found = checked(build({"train": [name]}, [file]))
    assert (found["images_written"], found["defects"].get("missing image")) == (1, None)


@pytest.mark.parametrize(
    ("split", "name", "file"),
    [
        ("train", "000000000002.jpg", "images/val/000000000002.jpg"),
        ("train", "a.jpg", "val/a.jpg"),
        ("train", "a.jpg", "valid/a.jpg"),
        ("train", "a.jpg", "masks/a.png"),
        ("train2017", "000000000002.jpg", "val2017/000000000002.jpg"),
        ("train2017", "000000000002.jpg", "images/val2017/000000000002.jpg"),
    ],
)
def test_an_image_of_another_split_never_stands_in_for_a_missing_one(
    build: Build, split: str, name: str, file: str
) -> None:
    own = "000000000001.jpg"
    found = checked(
        build({split: [own, name], "val": [own]}, [f"images/{split}/{own}", f"images/val/{own}", file]), split
    )
    assert (found["images_written"], found["images_left_out"]) == (1, 1)
    assert found["defects"] == {"missing image": 1}
    assert [place["file"] for place in found["list"]] == [name]


@pytest.mark.parametrize(
    ("split", "file"),
    [
        ("train2017", "train2014/COCO_train2014_000000000009.jpg"),
        ("train2017", "images/val2014/COCO_val2014_000000000009.jpg"),
        ("mini", "train2017/000000000009.jpg"),
        ("minival2014", "val2014/COCO_val2014_000000000009.jpg"),
    ],
)
def test_images_of_coco_itself_are_found_by_their_number(build: Build, split: str, file: str) -> None:
    assert checked(build({split: ["000000000009.jpg"]}, [file]), split)["images_written"] == 1


def test_the_folder_of_the_split_comes_before_the_root(build: Build) -> None:
    root = build({"train": ["a.jpg"]}, ["a.jpg", "images/train/a.jpg"])
    (root / "a.jpg").write_bytes(b"no image")
    assert checked(root)["images_written"] == 1


def test_flags_in_words_are_listed_with_their_place(build: Build) -> None:
    root = build({"train": ["a.jpg"]}, ["images/train/a.jpg"])
    file = root / "annotations/instances_train.json"
    file.write_text(file.read_text().replace('"bbox"', '"iscrowd": "perhaps", "bbox"'))
    result = CliRunner().invoke(app, ["data", "check", str(root), "--strict"])
    assert result.exit_code == 2
    assert "flag that is neither 0 or 1 nor false or true: 1, refused" in result.stdout
    assert "image 1, object 0: annotations[0]: iscrowd is 'perhaps'" in result.stdout


@pytest.mark.parametrize("kind", ["captions", "person_keypoints", "stuff", "panoptic"])
def test_the_files_that_coco_publishes_beside_those_of_instances_are_no_splits(build: Build, kind: str) -> None:
    root = build({"train": ["a.jpg"]}, ["train/a.jpg"])
    content = {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "annotations": [{"id": 1, "image_id": 1, "caption": "a cat"}],
    }
    (root / f"annotations/{kind}_train.json").write_text(json.dumps(content))
    result = CliRunner().invoke(app, ["data", "check", str(root), "--json"])
    assert result.exit_code == 0, result.exception
    assert json.loads(result.stdout)["images_of_splits"] == {"train": 1}
