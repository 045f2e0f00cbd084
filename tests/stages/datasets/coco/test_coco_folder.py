"""COCO layout: files made by hand, and a real part of COCO 2017 (its SOURCE.txt holds the counts)."""

import json
import shutil

import numpy as np
import pytest

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from ssd_core.data.shards import ShardSet
from ssd_core.spec.vocabularies import COCO_CLASSES, COCO_TO_VOC
from stages.datasets.annotation import Naming
from stages.datasets.coco.coco_folder import CocoFolder, splits_of
from stages.datasets.coco.coco_json import parse_coco
from stages.datasets.voc import VocFolder
from stages.datasets.xml.voc_xml import parse
from stages.shards.shard import Shard

CAT = {"id": 7, "name": "cat"}


def entry(number, name=None, width=100, height=80):
    return {"id": number, "file_name": name or f"{number}.jpg", "width": width, "height": height}


def box(number, image, *bbox, category=7, **rest):
    return {"id": number, "image_id": image, "category_id": category, "bbox": list(bbox), "area": 5.5, **rest}


@pytest.fixture
def coco(tmp_path, voc):
    """Write `annotations/instances_<split>.json` and the images that it names; returns the root."""

    def write(split, images, annotations=None, categories=(CAT,), folder="images/{}"):
        root = tmp_path / "coco"
        (root / "annotations").mkdir(parents=True, exist_ok=True)
        content = {"images": images, "categories": list(categories)}
        if annotations is not None:
            content["annotations"] = annotations
        (root / f"annotations/instances_{split}.json").write_text(json.dumps(content))
        place = root / folder.format(split)
        place.mkdir(parents=True, exist_ok=True)
        for image in images:
            shutil.copy(voc.root / "JPEGImages/a.jpg", place / image["file_name"])
        return root

    return write


@pytest.fixture
def run(in_process):
    def run_stage(stage):
        stage.external_digest()
        stage.run(ctx := in_process(stage))
        return ShardSet(ctx.out.path), ctx.out.read_json("report.json")

    return run_stage


def source(root, split="train", **rest):
    return CocoFolder(name="coco", split=split, root=str(root), **rest)


def shard(root, split="train", **rest):
    return Shard(sources=(source(root, split),), **rest)


def test_a_row_has_corners_crowds_areas_and_ids_as_stated(coco, run):
    root = coco("train", [entry(5)], [box(11, 5, 10, 20, 30.5, 40), box(12, 5, 0, 0, 100, 80, iscrowd=1)])
    shards, report = run(shard(root))
    row = shards.row(0)
    assert (row.image_id, row.source) == ("5", "coco")
    np.testing.assert_array_equal(row.boxes_xyxy, [[10, 20, 40.5, 60], [0, 0, 100, 80]])
    np.testing.assert_array_equal(row.crowd, [False, True])
    np.testing.assert_array_equal(row.area, [5.5, 5.5])
    np.testing.assert_array_equal(row.annotation_ids, [11, 12])
    assert shards.manifest["per_class"] == {"cat": {"objects": 2, "images": 1, "difficult": 0, "crowd": 1}}
    assert report["defects"] == {}


def test_ids_as_text_match_ids_as_numbers_and_orphans_are_reported(coco, run):
    root = coco(
        "train",
        [entry("5")],
        [box(1, "5", 1, 1, 9, 9), box(2, 5, 2, 2, 9, 9), box(3, 6, 1, 1, 9, 9), box(4, 6, 1, 1, 2, 2)],
    )
    shards, report = run(shard(root))
    assert len(shards.row(0).labels) == 2
    assert report["defects"] == {"annotation of an unlisted image": 1, "id given as a string": 1}
    assert (report["boxes_annotated"], report["boxes_written"], report["boxes_of_left_out_images"]) == (4, 2, 2)


def test_an_image_listed_twice_is_read_once(coco, run):
    shards, report = run(shard(coco("train", [entry(5), entry(5)], [box(1, 5, 1, 1, 9, 9)])))
    assert len(shards) == 1
    assert report["defects"] == {"id listed twice": 1}
    assert (report["images_listed"], report["images_left_out"]) == (2, 1)


def test_a_list_without_annotations_gives_images_without_objects(coco, run):
    root = coco("x", [entry(5)], folder="images/test2017")
    (root / "annotations/instances_x.json").rename(root / "annotations/image_info_test-dev2017.json")
    shards, report = run(shard(root, "test-dev2017", classes=("cat",)))
    assert (shards.row(0).image_id, len(shards.row(0).labels), report["defects"]) == ("5", 0, {})


def test_boxes_without_four_numbers_or_without_area_are_left_out(coco, run):
    annotations = [box(1, 5, 1, 1, 9, 9), {**box(2, 5), "bbox": None}, box(3, 5, 1, 1, 0, 9)]
    _, report = run(shard(coco("train", [entry(5)], annotations)))
    assert report["defects"] == {"box without four finite numbers": 1, "zero area": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no json", r"is not valid JSON: Expecting value: line 1 column 1"),
        (b'{"images": [1,', r"is not valid JSON: Expecting value: line 1 column 15"),
        (b"[" * 100_000, "its JSON is nested too deeply"),
        (b'{"images": [{"id": 1, "file_name": "\xff"}]}', "byte 0xff at position"),
        (b'{"images": 3}', "`images` is 3, not a list"),
        (b'{"images": [], "annotations": "cat"}', "`annotations` is 'cat', not a list"),
        (b'{"images": ["cat"]}', r"images\[0\] is 'cat', not an object"),
        (b'{"images": [{"id": 1, "file_name": ["a"]}]}', r"images\[0\]: file_name is \['a'\], not a name"),
        (b'{"images": [{"file_name": "a.jpg"}]}', r"images\[0\]: id is missing"),
        (b'{"images": [], "categories": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]}', "named both 'a' and 'b'"),
        (b'{"images": [], "annotations": [{"image_id": [1]}]}', r"annotations\[0\]: image_id is \[1\]"),
        (b'{"images": [], "annotations": [{"image_id": 1, "caption": "x"}]}', "1 annotations has a `bbox`"),
        (b"[]", "no list `images`"),
        (json.dumps({"images": [{"id": 1}]}).encode(), r"images\[0\], with the id 1, has no file_name"),
        (
            json.dumps({"images": [], "annotations": [box(1, 5, category=9)]}).encode(),
            r"category '9' \(annotations\[0\]\); add it",
        ),
    ],
)
def test_a_file_of_another_format_is_refused_by_name(coco, content, message):
    root = coco("train", [entry(5)], [])
    (root / "annotations/instances_train.json").write_bytes(content)
    with pytest.raises(PipelineError, match=rf"instances_train.json.*{message}"):
        source(root).digest()


def test_the_digest_depends_on_annotations_and_own_images_only(coco):
    root = coco("train", [entry(5)], [box(1, 5, 1, 1, 9, 9)])
    first = source(root).digest()
    coco("val", [entry(6)], [])
    assert source(root).digest() == first
    (root / "images/train/5.jpg").write_bytes(b"another size")
    second = source(root).digest()
    assert second != first
    coco("train", [entry(5)], [box(1, 5, 1, 1, 9, 8)])
    assert source(root).digest() not in (first, second)


def test_a_missing_split_is_refused_with_the_existing_ones(coco):
    coco("train", [entry(5)], [])
    root = coco("val", [entry(6)], [])
    with pytest.raises(PipelineError, match=r"no split 'vla' .* did you mean 'val'\? There are: train, val"):
        source(root, "vla").digest()


def test_a_folder_per_split_with_the_json_beside_the_images_is_read(coco, run):
    root = coco("train", [entry(5)], [box(1, 5, 1, 1, 9, 9)], folder="{}")
    (root / "annotations/instances_train.json").rename(root / "train/_annotations.coco.json")
    shards, _ = run(shard(root))
    assert (len(shards), splits_of(Folder.at(str(root)))) == (1, ["train"])


def test_trainval35k_of_2014_is_train_and_val_without_minival_for_images_of_either_year(coco):
    name = "COCO_{}2014_{:012d}.jpg"
    root = coco("train2014", [entry(number, name.format("train", number)) for number in (9, 25)], [], folder="{}")
    coco("val2014", [entry(number, name.format("val", number)) for number in (42, 73)], [], folder="{}")
    assert "trainval35k" not in splits_of(Folder.at(str(root)))
    coco("val2017", [entry(42, "000000000042.jpg")], [], folder="elsewhere/far")
    assert splits_of(Folder.at(str(root)))[-2:] == ["trainval35k", "minival"]
    whole = source(root, "trainval35k")
    listed = whole.listing(whole.located())
    assert [image.image_id for image in listed.images] == ["9", "25", "73"]
    assert [image.found for image in listed.images] == [True] * 3
    (minival,) = source(root, "minival").listing(whole.located()).images
    assert minival.image_file == "val2014/COCO_val2014_000000000042.jpg"


@pytest.mark.parametrize(
    ("split", "images", "annotations", "crowds", "empty"),
    [("train2017", 337, 2838, 28, 3), ("val2017", 206, 1786, 21, 2)],
)
def test_the_part_of_coco_2017_is_read_completely(real_data, run, split, images, annotations, crowds, empty):
    # SOURCE.txt of the data
    shards, report = run(shard(real_data("coco_mini"), split, classes=COCO_CLASSES))
    assert (len(shards), report["boxes_written"], report["images_without_objects"]) == (images, annotations, empty)
    assert sum(counts["crowd"] for counts in shards.manifest["per_class"].values()) == crowds
    assert all(number > 0 for number in shards.manifest["objects_per_class"].values())
    assert set(report["defects"]) <= {"grey, 8-bit RGB when decoded"}


def test_coco_objects_can_take_the_names_of_voc_and_the_others_are_counted(real_data, run):
    root = real_data("coco_mini")
    naming = Naming(rename=tuple(COCO_TO_VOC.items()), leave_out_others=True)
    shards, report = run(Shard(sources=(source(root, "val2017", naming=naming),), classes=tuple(COCO_TO_VOC.values())))
    stated = json.loads((root / "annotations/instances_val2017.json").read_text())
    names = {category["id"]: category["name"] for category in stated["categories"]}
    of_voc = [names[item["category_id"]] for item in stated["annotations"] if names[item["category_id"]] in COCO_TO_VOC]
    assert report["boxes_written"] == len(of_voc)
    assert shards.manifest["objects_per_class"]["tvmonitor"] == of_voc.count("tv")
    assert report["defects"]["class ignored on request"] == 1786 - len(of_voc)


def test_odd_pairs_of_the_coco_tools_are_read(real_data):
    # SOURCE.txt of the data: the id of the image is text, those of 13 of its 14 annotations are numbers
    content = parse_coco((real_data("coco_eval/extra") / "gt_ignore_test.json").read_bytes(), "gt.json")
    (image,) = content.images
    assert (image.image_id, image.string_id, len(image.annotation.objects), content.orphans) == ("2299", True, 14, ())


def test_the_xml_and_the_json_of_the_same_boxes_give_equal_rows(real_data, run, tmp_path):
    """Coordinates are taken as annotated in both: a JSON made from VOC's corners keeps their 1-based numbers."""
    voc_root = real_data("voc2007") / "VOC2007"
    ids = (voc_root / "ImageSets/Main/test.txt").read_text().split()[:40]
    classes = tuple(sorted(COCO_TO_VOC.values()))
    annotations = [
        {**box(len(image_id), int(image_id), 0, 0, 0, 0), "category_id": classes.index(item.name), "area": 0}
        | {"bbox": [xmin, ymin, xmax - xmin, ymax - ymin]}
        for image_id in ids
        for item in parse((voc_root / f"Annotations/{image_id}.xml").read_bytes()).objects
        for xmin, ymin, xmax, ymax in [item.box_xyxy]
    ]
    images = [{"id": int(image_id), "file_name": f"{image_id}.jpg"} for image_id in ids]
    (tmp_path / "json/annotations").mkdir(parents=True)
    (tmp_path / "json/images").symlink_to(voc_root / "JPEGImages")
    categories = [{"id": number, "name": name} for number, name in enumerate(classes)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (tmp_path / "json/annotations/instances_test.json").write_text(json.dumps(content))
    shards, _ = run(shard(tmp_path / "json", "test", classes=classes))
    from_json = [shards.row(number) for number in range(40)]  # before the next run writes to the same folder
    from_xml, _ = run(Shard(sources=(VocFolder(name="voc2007", split="test", root=str(voc_root)),), classes=classes))
    for number in range(40):
        by_json, by_xml = from_json[number], from_xml.row(number)
        np.testing.assert_array_equal(by_json.boxes_xyxy, by_xml.boxes_xyxy)
        np.testing.assert_array_equal(by_json.labels, by_xml.labels)
        assert by_json.image == by_xml.image
