"""Checking a data set without writing anything."""

import json

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from experiments.cli.main import app
from stages.datasets.defects import Kind
from stages.datasets.find import find_data_set
from stages.shards.check import check


def kinds(found):
    return sorted(defect.kind.value for defect in found.defects)


def test_an_image_of_several_splits_is_read_once_and_reported_when_it_is_in_train_and_test(voc):
    found = check(find_data_set(str(voc.root)))
    assert (found.images_of_splits, found.objects_per_class) == ({"test": 1, "train": 2}, {"cat": 1, "dog": 1})
    assert found.tally.images_written == 2
    (shared,) = found.defects
    assert (shared.kind, shared.file, shared.detail) == (Kind.TWO_SPLITS, "JPEGImages/b.jpg", "train and test")


def test_the_purpose_of_a_split_is_recognised_by_its_name_in_any_case(voc):
    for name in ("train", "test"):
        (voc.root / f"ImageSets/Main/{name}.txt").unlink()
    voc.split("Train", ["a", "b"])
    voc.split("TEST", ["b"])
    assert kinds(check(find_data_set(str(voc.root)))) == [Kind.TWO_SPLITS]


def test_trainval_may_hold_train_and_val(voc):
    voc.split("test", ["c"])
    voc.image("c")
    voc.annotation("c")
    voc.split("train", ["a"])
    voc.split("val", ["b"])
    voc.split("trainval", ["a", "b"])
    assert kinds(check(find_data_set(str(voc.root)))) == []
    voc.split("val", ["a", "b"])
    assert kinds(check(find_data_set(str(voc.root)))) == [Kind.TWO_SPLITS]


def test_files_in_no_split_are_reported_unless_only_some_splits_are_checked(voc):
    voc.image("left")
    voc.annotation("over")
    voc.annotation("b", ("cat", 10, 20, 50, 60))
    voc.split("test", ["a"])
    voc.split("train", ["b"])
    found = check(find_data_set(str(voc.root)))
    places = {(defect.kind, defect.file) for defect in found.defects}
    assert places == {(Kind.ORPHAN_IMAGE, "JPEGImages/left.jpg"), (Kind.ORPHAN_FILE, "Annotations/over.xml")}
    assert kinds(check(find_data_set(str(voc.root)), splits=["train"])) == []


def test_an_unexpected_class_is_reported_with_its_count(voc):
    found = check(find_data_set(str(voc.root)), splits=["train"], classes=["dog"])
    (unknown,) = found.defects
    assert (unknown.kind, unknown.file, unknown.detail) == (Kind.UNKNOWN_CLASS, "cat", "1 objects")


def test_an_expected_class_and_a_split_without_objects_are_listed_with_0(voc):
    voc.image("c")
    voc.annotation("c")
    voc.split("test", ["c"])
    found = check(find_data_set(str(voc.root)), classes=["cat", "dog", "mouse"])
    assert found.objects_per_class["mouse"] == 0
    assert found.objects_of_splits == {"test": 0, "train": 2}


def test_names_with_spaces_or_non_ascii_letters_are_read_and_noted(voc):
    for image_id in ("a b", "überall"):
        voc.image(image_id)
        voc.annotation(image_id, ("cat", 1, 1, 9, 9))
    voc.split("train", ["a b", "überall"])
    found = check(find_data_set(str(voc.root)), splits=["train"])
    assert kinds(found) == [Kind.ODD_NAME] * 2
    assert found.tally.boxes_written == 2


@pytest.fixture
def ssdpipe():
    def run(*arguments):
        return CliRunner().invoke(app, ["data", "check", *map(str, arguments)])

    return run


def test_the_command_prints_counts_and_places_and_only_strict_fails(voc, ssdpipe):
    voc.annotation("a", ("cat", 5, 5, 5, 9))
    voc.split("test", ["a"])
    voc.split("train", ["b"])
    done = ssdpipe(voc.root)
    assert done.exit_code == 0
    assert "zero area: 1, box left out\n  Annotations/a.xml, object 0: cat: 5, 5, 5, 9" in done.stdout
    assert ssdpipe(voc.root, "--strict").exit_code == 2
    assert ssdpipe(voc.root, "--strict", "--split", "train").exit_code == 0


def test_real_fruit_has_the_defects_that_its_source_states(real_data, ssdpipe):
    # SOURCE.txt of the data: 30 XML with size 0x0; 30 PNG named .jpg, 19 of them RGBA and 4 with a palette
    done = ssdpipe(real_data("messy/fruit"))
    assert "wrong size in annotation: 30, repaired" in done.stdout
    assert "extension of another format: 30, kept unchanged" in done.stdout
    assert "palette, 8-bit RGB when decoded: 4" in done.stdout
    assert "images  71 listed, 71 sound, 0 left out" in done.stdout


@pytest.mark.parametrize("same", [True, False])
def test_an_image_of_two_splits_with_a_folder_each_is_what_training_refuses(tmp_path, same):
    noise = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    for split, image in (("train", noise), ("test", noise if same else 255 - noise)):
        (tmp_path / split).mkdir()
        (tmp_path / split / "a.png").write_bytes(cv2.imencode(".png", image)[1].tobytes())
        content = {
            "images": [{"id": 1, "file_name": "a.png", "width": 50, "height": 40}],
            "annotations": [
                {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 10, 12], "area": 120, "iscrowd": 0}
            ],
            "categories": [{"id": 1, "name": "cat"}],
        }
        (tmp_path / split / "_annotations.coco.json").write_text(json.dumps(content))
    checked = CliRunner().invoke(app, ["data", "check", str(tmp_path), "--json"])
    assert list(json.loads(checked.stdout)["defects"]) == [Kind.TWO_SPLITS] * same
    command = ["plan", "ablation-augmentation", "--preset", "tiny", "--data", str(tmp_path), "--train-split", "train"]
    planned = CliRunner().invoke(app, [*command, "--test-split", "test", "--store", str(tmp_path / "store")])
    assert ("test shares 1 image" in planned.stdout) == same
