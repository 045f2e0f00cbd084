"""An image is recognised under different names, and never both trained on and scored."""

import shutil
from pathlib import Path

import pytest

from pipeline.errors import PipelineError
from stages.datasets.voc import VocFolder
from stages.shards.image_list import published_name
from stages.shards.overlap import refuse_shared_lists
from stages.shards.shard import Shard


def shard(root, split, name="pets"):
    return Shard(sources=(VocFolder(name=name, split=split, root=str(root)),), classes=("cat", "dog"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("voc2007", "000027"), ("voc2012", "2007_000027")),
        (("VOC2007", "000027"), ("voc12", "2007_000027")),
        (("coco2014", "COCO_val2014_000000000042"), ("coco-minival", "000000000042")),
    ],
)
def test_a_renamed_image_of_a_published_set_has_one_published_name(one, other):
    assert published_name(*one) == published_name(*other) != ""


@pytest.mark.parametrize(
    ("source", "name"), [("mine", "000027"), ("voc2012", "2008_000027"), ("coco", "42"), ("voc2007", "a")]
)
def test_no_other_name_is_taken_for_one(source, name):
    assert published_name(source, name) == ""


def test_a_copy_under_another_name_and_in_another_data_set_is_refused(voc, tmp_path):
    other = tmp_path / "elsewhere"
    shutil.copytree(voc.root, other)
    (other / "JPEGImages/b.jpg").rename(other / "JPEGImages/copy.jpg")
    (other / "Annotations/b.xml").rename(other / "Annotations/copy.xml")
    (other / "ImageSets/Main/test.txt").write_text("copy\n")
    voc.image("a", 101)
    with pytest.raises(PipelineError, match=r"others/test shares 1 image \(copy, there named b\) with pets/train"):
        refuse_shared_lists(shard(other, "test", "others"), [shard(voc.root, "train")], "")


def test_only_files_of_equal_size_are_read(voc, monkeypatch):
    read = []

    def noted(source, place):
        read.append(Path(place).name)
        return place

    monkeypatch.setattr("stages.shards.shard._digest", noted)
    voc.image("a", 50)
    voc.image("c", 51)
    voc.annotation("c")
    voc.split("val", ["c"])
    refuse_shared_lists(shard(voc.root, "val"), [shard(voc.root, "train")], "")
    assert read == []
    shutil.copy(voc.root / "JPEGImages/a.jpg", voc.root / "JPEGImages/c.jpg")
    refuse_shared_lists(shard(voc.root, "val"), [shard(voc.root, "train")], "")
    assert sorted(read) == ["a.jpg", "c.jpg"]


def test_a_copy_is_found_in_a_data_set_whose_uri_has_parameters(voc):
    (voc.root / "JPEGImages/a.jpg").rename(voc.root / "JPEGImages/a b.jpg")
    (voc.root / "Annotations/a.xml").rename(voc.root / "Annotations/a b.xml")
    voc.split("train", ["a b"])
    shutil.copy(voc.root / "JPEGImages/a b.jpg", voc.root / "JPEGImages/b.jpg")
    other = f"file://{voc.root}?use_mmap=true"
    with pytest.raises(PipelineError, match=r"shares 1 image \(b, there named a b\)"):
        refuse_shared_lists(shard(other, "test"), [shard(voc.root, "train")], "")


def test_test_images_among_the_training_images_are_refused_from_the_lists_with_their_number(voc):
    with pytest.raises(
        PipelineError, match=r"pets/test shares 1 image \(b\) with pets/train, which is trained on \(.*\)\.\nlook"
    ):
        refuse_shared_lists(shard(voc.root, "test"), [shard(voc.root, "train")], "look elsewhere")


def test_voc2012_contains_images_of_voc2007(voc, tmp_path):
    voc.split("trainval", ["2007_000027", "2008_000001"])
    voc.split("test", ["000027", "000028"])
    voc.image("2007_000027")
    voc.image("000027", 99)
    voc.image("000028", 98)
    with pytest.raises(
        PipelineError, match=r"voc2007/test shares 1 image \(000027, there named 2007_000027\) with voc2012/trainval"
    ):
        refuse_shared_lists(shard(voc.root, "test", "voc2007"), [shard(voc.root, "trainval", "voc2012")], "")


def test_the_official_lists_of_voc2007_share_nothing(real_data):
    root = real_data("voc2007")
    refuse_shared_lists(shard(root, "test", "voc2007"), [shard(root, "trainval", "voc2007")], "")
    with pytest.raises(PipelineError, match="voc2007/val shares 2508 images"):
        refuse_shared_lists(shard(root, "val", "voc2007"), [shard(root, "trainval", "voc2007")], "")
