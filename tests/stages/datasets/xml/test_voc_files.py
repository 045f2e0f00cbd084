"""Images of a VOC folder by the names that lists give them, as `ssdpipe data check` reads them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from experiments.cli.main import app
from pipeline.errors import PipelineError
from pipeline.folder import Folder
from stages.datasets.voc import VocFolder

if TYPE_CHECKING:
    from tests.stages.conftest import WrittenVoc


def check(voc: WrittenVoc, *options: str) -> dict[str, Any]:
    """The report of `ssdpipe data check --json`."""
    done = CliRunner().invoke(app, ["data", "check", str(voc.root), "--json", *options])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def ids(voc: WrittenVoc, split: str = "train") -> list[str]:
    source = VocFolder(name="pets", split=split, root=str(voc.root))
    images = source.listing(source.located()).images
    assert [image.image_id for image in images] == list(dict.fromkeys(source.survey().ids))
    return [image.image_id for image in images]


def move(voc: WrittenVoc, name: str, folder: str, *, annotation: bool = True) -> None:
    """Move an image and its annotation into a subfolder."""
    for top, suffix in (("JPEGImages", ".jpg"), *((("Annotations", ".xml"),) if annotation else ())):
        (voc.root / top / folder).mkdir(parents=True, exist_ok=True)
        shutil.move(voc.root / top / f"{name}{suffix}", voc.root / top / folder)


@pytest.mark.parametrize(
    "written",
    ["a", "a.jpg", "a.JPG", "./a.jpg", "JPEGImages/a.jpg", "JPEGImages\\a.jpg", "/x/VOC2007/JPEGImages/a.jpg", " a "],
)
def test_an_image_is_listed_by_its_id_its_file_name_or_its_path(voc: WrittenVoc, written: str) -> None:
    voc.split("train", [written, "b"])
    voc.split("test", ["b"])
    assert check(voc, "--split", "train")["defects"] == {}
    assert ids(voc) == ["a", "b"]


def test_a_name_given_twice_in_two_ways_is_listed_twice(voc: WrittenVoc) -> None:
    voc.split("train", ["a", "b", "a.jpg"])
    report = check(voc, "--split", "train")
    assert (report["defects"], report["images_written"]) == ({"id listed twice": 1}, 2)


def test_two_images_that_differ_in_their_extension_only_keep_it_in_their_ids(voc: WrittenVoc) -> None:
    voc.image("a", suffix=".png")
    voc.split("train", ["a.jpg", "a.png", "b.jpg"])
    assert ids(voc) == ["a.jpg", "a.png", "b"]
    assert check(voc, "--split", "train")["boxes_written"] == 3


def test_names_may_contain_blanks(voc: WrittenVoc) -> None:
    for name in ("img (1)", "img 1", "img 0"):
        voc.image(name)
        voc.annotation(name, ("cat", 10, 20, 50, 60))
    voc.split("train", ["img (1)", "a"])
    voc.split("val", ["img 1", "img 0"])
    assert ids(voc) == ["img (1)", "a"]
    assert ids(voc, "val") == ["img 1", "img 0"]
    assert check(voc)["images_of_splits"] == {"test": 1, "train": 2, "val": 2}


def test_the_devkits_column_in_the_list_of_a_split_is_passed_over_and_reported(voc: WrittenVoc) -> None:
    voc.split("train", ["a  1", "b -1"])
    report = check(voc, "--split", "train")
    assert report["images_of_splits"] == {"train": 2}
    assert report["defects"] == {"element, field or column that is not read": 1}
    assert report["list"][0]["file"] == "ImageSets/Main/train.txt"


def test_the_list_of_a_class_is_no_split_but_can_be_named(voc: WrittenVoc) -> None:
    voc.split("cat_train", ["a  1", "b -1"])
    voc.split("train_train", ["a -1", "b -1"])
    assert list(check(voc)["images_of_splits"]) == ["test", "train"]
    assert check(voc, "--split", "cat_train")["images_of_splits"] == {"cat_train": 2}


@pytest.mark.parametrize(
    ("lists", "reason"),
    [
        ({}, "there is no .txt"),
        (
            {"cat_train": "a 1\n", "dog_train": "a\t-1\n"},
            "there are only lists of classes, whose lines end in 1, 0 or -1: cat_train.txt, dog_train.txt",
        ),
    ],
)
def test_a_check_without_a_list_of_a_split_fails_with_the_lists_passed_over(
    voc: WrittenVoc, lists: dict[str, str], reason: str
) -> None:
    for name in ("train", "test"):
        (voc.root / f"ImageSets/Main/{name}.txt").unlink()
    for name, text in lists.items():
        (voc.root / f"ImageSets/Main/{name}.txt").write_text(text)
    with pytest.raises(PipelineError, match=f"ImageSets/Main holds no list of a split: {reason}"):
        check(voc)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_lists_are_read_in_the_encodings_of_windows(voc: WrittenVoc, encoding: str) -> None:
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    (voc.root / "ImageSets/Main/train.txt").write_bytes(mark + "a\r\nb\r\n".encode(encoding))
    assert ids(voc) == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"a\ncaf\xe9\n", "train.txt, line 2: byte 0xe9"),
        (b"a\nb\0\n", "train.txt, line 2: holds a NUL"),
        (b"a\n\n..\n", r"train.txt, line 3: '\.\.' names no image"),
        (b"a\n" + b"x" * 300, "train.txt, line 2: 'xxxx.* names no image"),
        (b"x/" * 2000, "train.txt, line 1: 'x/x/.* names no image"),
    ],
)
def test_a_list_that_is_not_text_or_a_line_that_is_no_name_is_refused_with_its_place(
    voc: WrittenVoc, content: bytes, place: str
) -> None:
    (voc.root / "ImageSets/Main/train.txt").write_bytes(content)
    with pytest.raises(PipelineError, match=place):
        check(voc)


def test_images_in_subfolders_have_annotations_in_equal_subfolders(voc: WrittenVoc) -> None:
    move(voc, "a", "day/one")
    voc.split("train", ["day/one/a", "b"])
    assert ids(voc) == ["day/one/a", "b"]
    assert check(voc)["defects"] == {"image in a training and a test split": 1}


def test_an_image_in_a_subfolder_is_found_by_its_name_if_no_other_has_it(voc: WrittenVoc) -> None:
    move(voc, "a", "day", annotation=False)
    voc.split("train", ["a", "b"])
    assert ids(voc) == ["day/a", "b"]
    assert check(voc, "--split", "train")["boxes_written"] == 2
    voc.image("night/a")
    report = check(voc, "--split", "train")
    assert report["defects"] == {"missing image": 1}


def test_an_annotation_is_never_taken_from_an_image_of_the_same_name_in_another_folder(voc: WrittenVoc) -> None:
    voc.image("day/a")
    voc.split("train", ["a", "day/a"])
    report = check(voc, "--split", "train")
    assert [(each["kind"], each["file"]) for each in report["list"]] == [
        ("missing annotation", "Annotations/day/a.xml")
    ]


def test_a_change_in_a_subfolder_changes_the_stamp_of_the_survey(voc: WrittenVoc) -> None:
    move(voc, "a", "day")
    voc.split("train", ["day/a", "b"])
    source = VocFolder(name="pets", split="train", root=str(voc.root))
    read = source.files_read(source.located())
    assert "Annotations/day" in read.contents
    assert "JPEGImages/day" in read.sizes


def test_a_link_to_a_folder_above_does_not_end_in_a_loop(voc: WrittenVoc) -> None:
    (voc.root / "JPEGImages/again").symlink_to(voc.root / "JPEGImages")
    assert ids(voc) == ["a", "b"]


def test_files_in_subfolders_that_no_split_lists_are_reported(voc: WrittenVoc) -> None:
    voc.image("day/c")
    voc.annotation("day/c")
    report = check(voc)
    assert {each["file"] for each in report["list"]} >= {"JPEGImages/day/c.jpg", "Annotations/day/c.xml"}


def test_hostile_names_in_a_list_are_missing_images_below_the_folder(voc: WrittenVoc) -> None:
    voc.split("train", ["a", "/etc/passwd", "../../b", "--", "img.v2"])
    report = check(voc, "--split", "train")
    assert report["defects"] == {"missing annotation": 3, "missing image": 3}
    assert ids(voc) == ["a", "etc/passwd", "b", "--", "img.v2"]


def test_a_folder_without_images_says_what_was_looked_for(voc: WrittenVoc) -> None:
    shutil.rmtree(voc.root / "JPEGImages")
    (voc.root / "JPEGImages").mkdir()
    source = VocFolder(name="pets", split="train", root=str(voc.root))
    with pytest.raises(PipelineError, match=r"JPEGImages holds no image \(looked for \.jpg"):
        source.listing(Folder(str(voc.root)))
