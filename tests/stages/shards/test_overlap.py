"""An image is recognised under different names, and never both trained on and scored."""

import pytest

from pipeline.errors import PipelineError
from stages.datasets.voc import VocFolder
from stages.shards.image_list import identity
from stages.shards.overlap import refuse_shared_lists
from stages.shards.shard import Shard


def shard(root, split, name="pets"):
    return Shard(sources=(VocFolder(name=name, split=split, root=str(root)),), classes=("cat", "dog"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("voc2007", "000027"), ("voc2012", "2007_000027")),
        (("VOC2007", "000027"), ("voc07", "000027")),
        (("coco2014", "COCO_val2014_000000000042"), ("coco-minival", "42")),
        (("coco2017", "000000000042"), ("coco", "42")),
    ],
)
def test_two_names_of_an_image_have_one_identity(one, other):
    assert identity(*one) == identity(*other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("voc2007", "000027"), ("voc2012", "2008_000027")),
        (("voc2007", "000042"), ("coco", "42")),
        (("mine", "a"), ("yours", "a")),
    ],
)
def test_different_images_have_different_identities(one, other):
    assert identity(*one) != identity(*other)


def test_test_images_among_the_training_images_are_refused_from_the_lists_with_their_number(voc):
    with pytest.raises(
        PipelineError, match=r"pets/test shares 1 image \(b\) with pets/train, which is trained on \(.*\)\.\nlook"
    ):
        refuse_shared_lists(shard(voc.root, "test"), [shard(voc.root, "train")], "look elsewhere")


def test_voc2012_contains_images_of_voc2007(voc, tmp_path):
    voc.split("trainval", ["2007_000027", "2008_000001"])
    voc.split("test", ["000027", "000028"])
    voc.image("2007_000027")
    voc.image("000027")
    with pytest.raises(PipelineError, match=r"voc2007/test shares 1 image \(2007_000027\) with voc2012/trainval"):
        refuse_shared_lists(shard(voc.root, "test", "voc2007"), [shard(voc.root, "trainval", "voc2012")], "")


def test_the_official_lists_of_voc2007_share_nothing(real_data):
    root = real_data("voc2007")
    refuse_shared_lists(shard(root, "test", "voc2007"), [shard(root, "trainval", "voc2007")], "")
    with pytest.raises(PipelineError, match="voc2007/val shares 2508 images"):
        refuse_shared_lists(shard(root, "val", "voc2007"), [shard(root, "trainval", "voc2007")], "")
