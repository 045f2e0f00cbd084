"""One of each kind of defect, made by a real input, meets the report and the consequence that docs/data.md states."""

import io
import json
import shutil
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from experiments.cli.main import app
from stages.datasets.defects import TREATMENTS, Kind, Policy, consequence, is_legal, is_refused
from stages.datasets.find import find_data_set
from stages.datasets.voc import VocFolder
from stages.shards.shard import Shard

MANY = 12
"""Number of objects from which a set is judged as a whole, and more."""


def edit(path, old, new):
    path.write_text(path.read_text().replace(old, new))


def picture(voc, mode, form="PNG", **options):
    sink = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (80, 100, 3), np.uint8)).convert(mode).save(
        sink, form, **options
    )
    (voc.root / "JPEGImages/a.jpg").unlink()
    (voc.root / f"JPEGImages/a.{'jpg' if form == 'JPEG' else 'png'}").write_bytes(sink.getvalue())


def oriented():
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def rotated(voc):
    picture(voc, "RGB", "JPEG", exif=oriented())
    voc.annotation("a", ("cat", 10, 20, 50, 60), size=(80, 100))


def one_box(*corners):
    return lambda voc: voc.annotation("a", ("cat", 10, 20, 50, 60), ("cat", *corners))


def many_boxes(box, difficult=False):
    """The two training images and the test image with boxes of a pattern."""

    def write(voc):
        for image in "abc":
            boxes = [("cat", *box(number)) for number in range(MANY)]
            voc.annotation(image, *boxes, difficult=difficult)

    return write


def in_annotation(old, new):
    return lambda voc: edit(voc.root / "Annotations/a.xml", old, new)


def deep(voc):
    (voc.root / "JPEGImages/a.jpg").unlink()
    sink = io.BytesIO()
    Image.fromarray(np.full((80, 100), 0xAB40, np.uint16)).save(sink, "PNG")
    (voc.root / "JPEGImages/a.png").write_bytes(sink.getvalue())


def coco(change):
    """The same images in COCO layout, with a changed description of the training images."""

    def write(voc):
        for split, images in (("train", "ab"), ("test", "c")):
            content = {
                "images": [
                    {"id": ord(image), "file_name": f"{image}.jpg", "width": 100, "height": 80} for image in images
                ],
                "annotations": [
                    {
                        "id": 100 * ord(image) + number,
                        "image_id": ord(image),
                        "category_id": 1,
                        "bbox": [5, 5, 20 + number, 30],
                        "area": 600,
                        "iscrowd": 0,
                    }
                    for image in images
                    for number in range(MANY)
                ],
                "categories": [{"id": 1, "name": "cat"}],
            }
            change(content)
            (voc.root / "annotations").mkdir(exist_ok=True)
            (voc.root / f"annotations/instances_{split}.json").write_text(json.dumps(content))
        (voc.root / "JPEGImages").rename(voc.root / "images")
        for rest in ("Annotations", "ImageSets"):
            shutil.rmtree(voc.root / rest)

    return write


def crowds(content):
    for item in content["annotations"]:
        item["iscrowd"] = 1


def unlisted(content):
    content["annotations"].append(dict(content["annotations"][0], id=7, image_id=4711))


def text_id(content):
    content["images"][0]["id"] = str(content["images"][0]["id"])


def repeated_id(content):
    content["annotations"][1]["id"] = content["annotations"][0]["id"]


def one_file(content):
    for image in content["images"]:
        image["file_name"] = f"{chr(content['images'][0]['id'])}.jpg"


def negative_area(content):
    content["annotations"][0]["area"] = -600


def yolo(voc):
    for image, split in (("a", "train"), ("b", "train"), ("c", "test")):
        for kind in ("images", "labels"):
            (voc.root / f"{split}/{kind}").mkdir(parents=True, exist_ok=True)
        shutil.move(voc.root / f"JPEGImages/{image}.jpg", voc.root / f"{split}/images/{image}.jpg")
        broken = "0 0.5 zero 0.1 0.2\n" if image == "a" else ""
        (voc.root / f"{split}/labels/{image}.txt").write_text(f"0 0.5 0.5 0.3 0.4\n{broken}")
    (voc.root / "data.yaml").write_text("train: train/images\ntest: test/images\nnames: [cat]\n")
    for rest in ("Annotations", "ImageSets", "JPEGImages"):
        shutil.rmtree(voc.root / rest)


def second_box(voc):
    edit(voc.root / "Annotations/a.xml", "</bndbox>", f"</bndbox>{BOX}")


BOX = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>"

MAKERS = {
    Kind.MISSING_ANNOTATION: lambda voc: (voc.root / "Annotations/a.xml").unlink(),
    Kind.BROKEN_XML: lambda voc: (voc.root / "Annotations/a.xml").write_text("<annotation><object>"),
    Kind.FOREIGN_XML: lambda voc: (voc.root / "Annotations/a.xml").write_text("<annotations><image/></annotations>"),
    Kind.MISSING_IMAGE: lambda voc: (voc.root / "JPEGImages/a.jpg").unlink(),
    Kind.UNREADABLE_IMAGE: lambda voc: (voc.root / "JPEGImages/a.jpg").write_bytes(b"\xff\xd8\xff\xe0"),
    Kind.DUPLICATE_ID: lambda voc: voc.split("train", ["a", "b", "a"]),
    Kind.ROTATED: rotated,
    Kind.UNREADABLE_BOX: in_annotation("<xmin>10", "<xmin>ten"),
    Kind.UNREADABLE_LINE: yolo,
    Kind.NO_CLASS: in_annotation("<name>cat", "<name>"),
    Kind.ZERO_AREA: one_box(5, 5, 5, 9),
    Kind.OUTSIDE: one_box(500, 5, 505, 9),
    Kind.ORPHAN_ANNOTATION: coco(unlisted),
    Kind.UNKNOWN_CLASS: lambda voc: voc.annotation("a", ("horse", 1, 1, 9, 9)),
    Kind.UNREADABLE_FLAG: in_annotation("<difficult>0", "<difficult>perhaps"),
    Kind.NOTHING_TO_TRAIN: lambda voc: [voc.annotation(image) for image in "ab"],
    Kind.TWO_SPLITS: lambda voc: voc.split("test", ["a", "c"]),
    Kind.SEVERAL_BOXES: second_box,
    Kind.ODD_TAGS: in_annotation("object>", "Object>"),
    Kind.SWAPPED_CORNERS: one_box(50, 5, 20, 9),
    Kind.CLIPPED: one_box(50, 5, 120, 9),
    Kind.WRONG_SIZE: in_annotation("<width>100", "<width>0"),
    Kind.DUPLICATE_BOX: one_box(10, 20, 50, 60),
    Kind.SHARED_FILE: coco(one_file),
    Kind.ABSENT_CLASS: lambda voc: voc.annotation("c", ("zebra", 1, 1, 9, 9)),
    Kind.ALL_FRACTIONS: many_boxes(lambda number: (0.1, 0.1, 0.2 + number / 50, 0.5)),
    Kind.ALL_CROWD: coco(crowds),
    Kind.ALL_DIFFICULT: many_boxes(lambda number: (5, 5, 20 + number, 30), difficult=True),
    Kind.ALL_ONE_SIZE: many_boxes(lambda number: (number, 5, 20 + number, 30)),
    Kind.LOOKS_LIKE_XYWH: many_boxes(lambda number: (4 * number, 40, 15 + number, 30)),
    Kind.ALIKE_CLASSES: lambda voc: voc.annotation("a", ("Cat", 1, 1, 9, 9)),
    Kind.ORPHAN_IMAGE: lambda voc: voc.image("over"),
    Kind.ORPHAN_FILE: lambda voc: voc.annotation("over"),
    Kind.STRING_ID: coco(text_id),
    Kind.REPEATED_ID: coco(repeated_id),
    Kind.WRONG_AREA: coco(negative_area),
    Kind.UNREAD: in_annotation("</object>", "<weather>fog</weather></object>"),
    Kind.MISNAMED: lambda voc: voc.image("a", suffix=".png").rename(voc.root / "JPEGImages/a.jpg"),
    Kind.ODD_NAME: lambda voc: [voc.image("ä"), voc.annotation("ä"), voc.split("train", ["a", "b", "ä"])],
    Kind.EXIF_ORIENTATION: lambda voc: picture(voc, "RGB", "JPEG", exif=oriented()),
    Kind.ALPHA: lambda voc: picture(voc, "RGBA"),
    Kind.PALETTE: lambda voc: picture(voc, "P"),
    Kind.CMYK: lambda voc: picture(voc, "CMYK", "JPEG"),
    Kind.GREY: lambda voc: picture(voc, "L", "JPEG"),
    Kind.DEEP: deep,
}
"""What to change in a sound data set, whose images a and b are for training and c for testing."""

ON_REQUEST: dict[Kind, dict[str, Any]] = {
    Kind.SKIPPED_EMPTY: {"skip_empty": True},
    Kind.IGNORED_CLASS: {"ignore_classes": ("cat",)},
}
"""Kinds that only a shard stage makes, by its settings."""


@pytest.fixture
def sound(voc):
    voc.image("c")
    voc.annotation("c", ("cat", 10, 20, 50, 61))
    voc.annotation("b", ("cat", 10, 20, 50, 62))
    voc.split("test", ["c"])
    return voc


def checked(root, *more):
    done = CliRunner().invoke(app, ["data", "check", str(root), *more])
    return done.exit_code, done.stdout


def test_every_kind_of_defect_has_a_policy_and_an_input_that_makes_it():
    assert set(TREATMENTS) == set(Kind) == set(MAKERS) | set(ON_REQUEST)
    assert {treatment.policy for treatment in TREATMENTS.values()} == set(Policy)


def test_the_sound_data_set_has_no_defect(sound):
    assert checked(sound.root, "--strict")[0] == 0
    assert "no defects" in checked(sound.root)[1]


@pytest.mark.parametrize("kind", MAKERS)
def test_the_check_reports_the_kind_with_place_and_consequence_and_fails_where_a_run_would_refuse_it(sound, kind):
    MAKERS[kind](sound)
    more = ["--classes", "cat"] if kind is Kind.UNKNOWN_CLASS else []
    code, text = checked(sound.root, "--json", *more)
    report = json.loads(text)
    found = [each for each in report["list"] if each["kind"] == kind]
    assert found, report["defects"]
    assert report["defects"][kind] == len(found)
    assert {each["consequence"] for each in found} == {consequence(kind)}
    assert all(each["file"] and each["detail"] for each in found)
    kinds = {Kind(each["kind"]) for each in report["list"]}
    assert code == (2 if any(map(is_refused, kinds)) else 0)
    assert checked(sound.root, "--strict", *more)[0] == (0 if all(map(is_legal, kinds)) else 2)
    listed, boxes = (sum(report[f"{part}_{end}"] for end in ends) for part, ends in ENDS.items())
    assert (report["images_listed"], report["boxes_annotated"]) == (listed, boxes)


ENDS = {"images": ("written", "left_out"), "boxes": ("written", "left_out", "of_left_out_images")}


@pytest.mark.parametrize("kind", ON_REQUEST)
def test_what_is_left_out_on_request_is_counted_and_accepted_by_a_strict_sharding(sound, in_process, kind):
    sound.annotation("a")
    settings = dict(ON_REQUEST[kind])
    skip = settings.pop("skip_empty", False)
    source = VocFolder(name="pets", split="train", root=str(sound.root), skip_empty=skip)
    stage = Shard(sources=(source,), strict=True, **settings)
    stage.run(ctx := in_process(stage))
    assert ctx.out.read_json("report.json")["defects"] == {kind: 1}


def test_sets_of_the_project_s_own_kind_raise_no_suspicion(drawn, real_data):
    for folder in (drawn.folders[drawn.train], drawn.folders[drawn.test]):
        assert folder.read_json("report.json")["defects"] == {}
    for name in ("bccd/BCCD", "coco_mini", "messy/fruit"):
        _, text = checked(find_data_set(str(real_data(name))).root, "--json")
        suspicions = {Kind.ALL_FRACTIONS, Kind.ALL_CROWD, Kind.ALL_DIFFICULT, Kind.ALL_ONE_SIZE, Kind.ALIKE_CLASSES}
        assert not ({*json.loads(text)["defects"]} & {*suspicions, Kind.LOOKS_LIKE_XYWH})
