import hashlib

import numpy as np
import pytest

from pipeline.errors import PipelineError
from pipeline.execution.executor import InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.planning.graph import Graph
from pipeline.planning.plan import plan
from pipeline.planning.resolver import Resolver
from pipeline.store.store import Store
from ssd_core.data.shards import ShardSet
from stages.datasets.coco.coco_folder import CocoFolder
from stages.datasets.voc import VocFolder
from stages.datasets.xml.voc_xml import parse
from stages.drawn.draw import Draw
from stages.drawn.vocabulary import CLASSES, COCO_CLASSES
from stages.shards.shard import Shard

DEFAULT_ANNOTATIONS = "f2aca92b71a46e728fb6140f8f3d1016f7bb234ee6b8596e4e499e75e230520d"


def drawn(in_process, name="drawn", **fields):
    stage = Draw(**fields)
    stage.run(ctx := in_process(stage, name))
    return ctx.out


def test_the_same_fields_give_the_same_bytes_and_another_seed_does_not(in_process):
    first = drawn(in_process, "first", train=3, test=2)
    second = drawn(in_process, "second", train=3, test=2)
    other = drawn(in_process, "other", train=3, test=2, seed=1)
    assert first.files() == second.files() == other.files()
    assert all(first.read_bytes(name) == second.read_bytes(name) for name in first.files())
    assert first.read_bytes("JPEGImages/train_00000.jpg") != other.read_bytes("JPEGImages/train_00000.jpg")


def test_a_larger_set_begins_with_the_images_of_a_smaller_one(in_process):
    small, large = drawn(in_process, "small", train=1, test=1), drawn(in_process, "large", train=2, val=1, test=1)
    for name in ("JPEGImages/train_00000.jpg", "JPEGImages/test_00000.jpg", "Annotations/test_00000.xml"):
        assert small.read_bytes(name) == large.read_bytes(name)


def test_splits_are_listed_and_an_empty_one_is_not(in_process):
    without, with_val = drawn(in_process, "without", train=1, test=1), drawn(in_process, "with", train=1, val=1, test=1)
    assert [name for name in without.files() if name.startswith("ImageSets")] == [
        "ImageSets/Main/test.txt",
        "ImageSets/Main/train.txt",
        "ImageSets/Main/trainval.txt",
    ]
    assert with_val.read_bytes("ImageSets/Main/trainval.txt") == b"train_00000\nval_00000\n"


def test_the_images_of_two_splits_differ(in_process):
    out = drawn(in_process, train=1, test=1)
    assert out.read_bytes("JPEGImages/train_00000.jpg") != out.read_bytes("JPEGImages/test_00000.jpg")


def test_drawn_images_pass_a_strict_sharding_and_both_stages_are_cached(tmp_path):
    draw = Draw(train=12, test=1)
    source = VocFolder(name="drawn", split="train", within=draw)
    graph = Graph([Shard(sources=(source,), classes=CLASSES, images_per_shard=5, strict=True)])
    store = Store.open(str(tmp_path / "store"))

    def states(run_id):
        result = Scheduler(graph, store, InlineExecutor(), Resolver(graph), run_id=run_id).run()
        result.raise_for_failures()
        return [row.state for row in plan(graph, store, Resolver(graph))]

    assert [row.state for row in plan(graph, store, Resolver(graph))] == ["run", "after"]
    assert states("first") == ["cached", "cached"]
    (manifest,) = [manifest for manifest in store.manifests() if manifest.address == "shard"]
    shards = ShardSet(store.output(manifest).path)
    assert [row.image_id for row in shards] == [f"train_{number:05d}" for number in range(12)]
    assert all(160 <= row.width <= 200 and 160 <= row.height <= 200 for row in shards)
    assert store.output(manifest).read_json("report.json")["list"] == []


def test_the_default_images_are_those_of_the_measured_numbers(in_process):
    # Digest of the files from the time of a single vocabulary; without JPEGs, whose bytes depend on OpenCV
    out = drawn(in_process, train=2, test=1)
    digest = hashlib.sha256()
    for name in out.files():
        if name.endswith((".xml", ".txt")):
            digest.update(name.encode() + out.read_bytes(name))
    assert digest.hexdigest() == DEFAULT_ANNOTATIONS


def test_coco_layout_holds_the_same_images_and_boxes_as_voc_layout(in_process):
    fields = {"train": 30, "test": 0, "vocabulary": "coco"}
    voc, coco = drawn(in_process, "voc", **fields), drawn(in_process, "coco", layout="coco", **fields)
    content = coco.read_json("annotations/instances_train.json")
    names = {item["id"]: item["name"] for item in content["categories"]}
    assert len(content["images"]) == 30
    for number, image in enumerate(content["images"]):
        name = f"train_{number:05d}"
        assert coco.read_bytes(f"train/{image['file_name']}") == voc.read_bytes(f"JPEGImages/{name}.jpg")
        annotation = parse(voc.read_bytes(f"Annotations/{name}.xml"))
        assert annotation.size == (image["width"], image["height"])
        ours = [item for item in content["annotations"] if item["image_id"] == image["id"]]
        # VOC counts corners from 1 and both lie inside; COCO counts from 0, with width and height
        expected = [
            (
                item.name,
                [item.box_xyxy[0] - 1, item.box_xyxy[1] - 1, *np.subtract(item.box_xyxy[2:], item.box_xyxy[:2]) + 1],
            )
            for item in annotation.objects
        ]
        assert [(names[item["category_id"]], item["bbox"]) for item in ours] == expected


def test_an_annotation_file_of_coco_layout_is_read_by_pycocotools(in_process, capsys):
    from pycocotools.coco import COCO

    out = drawn(in_process, train=80, val=3, test=0, vocabulary="coco", layout="coco")
    assert sorted(name for name in out.files() if name.endswith(".json")) == [
        "annotations/instances_train.json",
        "annotations/instances_val.json",
    ]
    annotated = COCO(f"{out.path}/annotations/instances_train.json")
    assert [item["name"] for item in annotated.loadCats(annotated.getCatIds())] == list(COCO_CLASSES)
    crowds = annotated.loadAnns(annotated.getAnnIds(iscrowd=True))
    assert 0 < len(crowds) < 20
    assert len(annotated.anns) == len(annotated.dataset["annotations"])  # ids are unique
    others = COCO(f"{out.path}/annotations/instances_val.json")
    assert not set(annotated.imgs) & set(others.imgs)
    assert any(not annotated.getAnnIds(imgIds=[image]) for image in annotated.getImgIds())


def test_drawn_images_in_coco_layout_pass_a_strict_sharding_with_their_crowds(tmp_path):
    draw = Draw(train=60, test=0, vocabulary="coco", layout="coco")
    source = CocoFolder(name="drawn", split="train", within=draw)
    graph = Graph([Shard(sources=(source,), classes=COCO_CLASSES, strict=True)])
    store = Store.open(str(tmp_path / "store"))
    result = Scheduler(graph, store, InlineExecutor(), Resolver(graph), run_id="first").run()
    result.raise_for_failures()
    rows = list(ShardSet(store.output(result.outcomes[graph.targets[0]].manifest).path))
    assert len(rows) == 60
    assert sum(int(row.crowd.sum()) for row in rows) == 6  # of 60 images of this seed


@pytest.mark.parametrize("fields", [{"train": -1}, {"train": 0, "test": 0}, {"seed": -1}, {"sides": (200, 160)}])
def test_invalid_counts_seeds_and_sizes_are_refused(fields):
    with pytest.raises(PipelineError, match=r"\d"):
        Draw(**fields)
