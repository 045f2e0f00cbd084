import os
import pickle
import shutil

import pytest

from pipeline.errors import PipelineError
from stages.datasets.source import discover_classes
from stages.datasets.voc import VocFolder


def source(root, split="train", **rest):
    return VocFolder(name="pets", split=split, root=str(root), **rest)


def test_the_folder_its_parent_and_the_parent_of_vocdevkit_all_name_the_same_data_set(voc, tmp_path):
    above = tmp_path / "above"
    above.mkdir()
    (above / "VOCdevkit").symlink_to(voc.root.parent)
    digests = {source(root).digest() for root in (voc.root, voc.root.parent, above)}
    assert len(digests) == 1


def test_one_of_several_data_sets_must_be_named(voc):
    shutil.copytree(voc.root, voc.root.parent / "VOC2012")
    with pytest.raises(PipelineError, match=r"several data sets: .*VOC2007, .*VOC2012"):
        source(voc.root.parent).digest()
    assert source(voc.root.parent, folder="VOC2012").located().uri.endswith("VOC2012")
    assert source(voc.root.parent / "VOC2012", folder="VOC2012").located().uri.endswith("VOC2012")


def test_a_missing_folder_says_what_was_looked_for(voc, tmp_path):
    with pytest.raises(PipelineError, match=r"there is no folder .*nowhere"):
        source(tmp_path / "nowhere").digest()
    with pytest.raises(PipelineError, match="looked for Annotations"):
        source(voc.root / "JPEGImages").digest()
    with pytest.raises(PipelineError, match="--data"):
        source("").digest()


@pytest.mark.parametrize("part", ["JPEGImages", "ImageSets/Main"])
def test_a_missing_part_of_a_data_set_is_named(voc, part):
    shutil.rmtree(voc.root / part)
    with pytest.raises(PipelineError, match=f"no {part}"):
        source(voc.root).digest()


def test_a_missing_split_is_refused_with_the_existing_ones_and_the_nearest(voc):
    with pytest.raises(PipelineError, match=r"no split 'trian'.*did you mean 'train'\? There are: test, train"):
        source(voc.root, "trian").digest()


def test_an_empty_split_is_refused(voc):
    voc.split("val", [])
    with pytest.raises(PipelineError, match=r"split 'val' .* is empty"):
        source(voc.root, "val").digest()


def test_a_split_without_a_single_image_file_is_refused(voc):
    voc.split("val", ["x", "y"])
    with pytest.raises(PipelineError, match="none of the 2 ids"):
        source(voc.root, "val").digest()


def test_the_digest_depends_on_the_content_and_not_on_place_or_time(voc, tmp_path):
    before = source(voc.root).digest()
    shutil.copytree(voc.root, tmp_path / "moved")
    os.utime(tmp_path / "moved/Annotations/a.xml", (0, 0))
    assert source(tmp_path / "moved").digest() == before


@pytest.mark.parametrize("change", ["annotation", "image size", "order of the split", "missing image"])
def test_the_digest_changes_with_everything_that_the_shards_depend_on(voc, change):
    before = source(voc.root).digest()
    if change == "annotation":
        voc.annotation("a", ("cat", 11, 20, 50, 60))
    elif change == "image size":
        voc.image("a", 101)
    elif change == "order of the split":
        voc.split("train", ["b", "a"])
    else:
        (voc.root / "JPEGImages/a.jpg").unlink()
    assert source(voc.root).digest() != before


def test_the_digest_ignores_files_outside_the_split(voc):
    before = source(voc.root, "test").digest()
    voc.annotation("a", ("cat", 11, 20, 50, 60))
    assert source(voc.root, "test").digest() == before


def test_equality_depends_on_the_split_and_not_on_the_place(voc):
    assert source(voc.root) == source("/elsewhere")
    assert source(voc.root) != source(voc.root, "test")


def test_classes_are_collected_from_the_annotations_of_all_splits_and_sorted(voc):
    voc.annotation("a", ("zebra", 1, 1, 9, 9), ("cat", 1, 1, 9, 9))
    assert discover_classes([source(voc.root), source(voc.root, "test")]) == ("cat", "dog", "zebra")
    assert discover_classes([source(voc.root, "test")]) == ("dog",)


def test_the_jpeg_is_used_when_an_id_has_two_images(voc):
    voc.image("a", suffix=".png")
    assert source(voc.root).survey().files == ["JPEGImages/a.jpg", "JPEGImages/b.jpg"]


def test_a_source_can_be_pickled_for_a_worker(voc):
    assert pickle.loads(pickle.dumps(source(voc.root))).root == str(voc.root)
