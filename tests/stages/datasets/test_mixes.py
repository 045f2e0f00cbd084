"""The paper's mixes, and a mix of two vocabularies."""

import json
import shutil

import numpy as np
import pytest

from pipeline.errors import PipelineError
from ssd_core.data.shards import ShardSet
from ssd_core.spec.vocabularies import COCO_TO_VOC
from stages.datasets.coco.coco_folder import CocoFolder
from stages.datasets.mixes import COCO_AS_VOC, coco_trainval35k, ilsvrc_train, voc, voc07, voc07_12, voc07_all_12
from stages.datasets.voc import VocFolder
from stages.shards.overlap import refuse_shared_lists
from stages.shards.shard import Shard


def splits(sources):
    return [(source.name, source.split) for source in sources]


def test_the_mixes_are_those_of_the_paper():
    assert splits(voc07("x")) == [("voc2007", "trainval")]
    assert splits(voc07_12("x")) == [("voc2007", "trainval"), ("voc2012", "trainval")]
    assert splits(voc07_all_12("x")) == [("voc2007", "trainval"), ("voc2007", "test"), ("voc2012", "trainval")]
    assert splits(coco_trainval35k("x")) == [("coco2017", "trainval35k")]
    assert [(source.split, source.skip_empty) for source in ilsvrc_train("x")] == [("train", True), ("val1", True)]


@pytest.fixture
def devkit(voc, tmp_path):
    """A VOCdevkit with VOC2007 and its splits, and VOC2012, which shares one image with it."""
    voc.split("trainval", ["a"])
    root = tmp_path / "data"
    shutil.copytree(voc.root, root / "VOCdevkit/VOC2007")
    for image_id in ("a", "b"):
        voc.image(f"2008_00000{image_id}")
        voc.annotation(f"2008_00000{image_id}", ("cat", 1, 1, 9, 9))
    voc.split("trainval", ["2008_00000a", "2008_00000b"])
    voc.split("test", ["2008_00000c"])
    voc.image("2008_00000c")
    shutil.copytree(voc.root, root / "VOCdevkit/VOC2012")
    return str(root)


def test_07_plus_plus_12_concatenates_and_is_refused_on_the_test_images_of_2007(devkit, in_process):
    mix = Shard(sources=voc07_all_12(devkit))
    mix.external_digest()
    mix.run(ctx := in_process(mix))
    rows = [(row.source, row.image_id) for row in ShardSet(ctx.out.path)]
    assert rows == [("voc2007", "a"), ("voc2007", "b"), ("voc2012", "2008_00000a"), ("voc2012", "2008_00000b")]
    test = Shard(sources=(voc(devkit, "2007", "test"),))
    refuse_shared_lists(test, [Shard(sources=voc07_12(devkit))], "")
    with pytest.raises(PipelineError, match=r"voc2007/test shares 1 image "):
        refuse_shared_lists(test, [mix], "")


def test_the_test_images_of_voc2012_come_without_objects(devkit, in_process):
    stage = Shard(sources=(voc(devkit, "2012", "test"),), classes=("cat",), strict=True)
    stage.external_digest()
    stage.run(ctx := in_process(stage))
    (row,) = ShardSet(ctx.out.path)
    assert (row.image_id, row.boxes_xyxy.shape) == ("2008_00000c", (0, 4))


def test_voc_and_coco_mix_in_the_vocabulary_of_voc(voc, in_process, tmp_path):
    voc.annotation("a", ("sofa", 1, 1, 50, 60))
    place = tmp_path / "coco"
    (place / "annotations").mkdir(parents=True)
    shutil.copytree(voc.root / "JPEGImages", place / "train")
    boxes = [{"id": n, "image_id": 1, "category_id": n, "bbox": [1, 1, 9, 9], "area": 1} for n in (1, 2)]
    categories = [{"id": 1, "name": "couch"}, {"id": 2, "name": "zebra"}]
    content = {"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": boxes, "categories": categories}
    (place / "annotations/instances_train.json").write_text(json.dumps(content))
    stage = Shard(
        sources=(
            VocFolder(name="voc2007", root=str(voc.root), split="train"),
            CocoFolder(name="coco", root=str(place), split="train", naming=COCO_AS_VOC),
        ),
        classes=(*COCO_TO_VOC.values(),),
    )
    stage.external_digest()
    stage.run(ctx := in_process(stage))
    labels = [row.labels for row in ShardSet(ctx.out.path)]
    np.testing.assert_array_equal(labels[0], labels[2])
    assert ctx.out.read_json("report.json")["defects"] == {"class ignored on request": 1}
