"""`ssdpipe data convert`: there and back without loss, and what is lost is counted and named."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from experiments.cli.main import app
from pipeline.errors import PipelineError
from stages.datasets.find import find_data_set
from stages.datasets.source import discover_classes
from stages.shards.image_row import read_image
from tests.stages.datasets.random_sets import WRITERS, Picture, Thing

PICTURES = [
    Picture("a", (Thing("cat", (1, 2, 30, 40)), Thing("dog", (10, 10, 20, 30), difficult=True))),
    Picture("img (1)", (Thing("traffic light", (0, 0, 64, 48)), Thing("Käse", (3, 5, 11, 17)))),
    Picture("empty", ()),
]
TARGETS = ("voc", "coco", "yolo")

Contents = Mapping[str, list[tuple[str, tuple[float, ...], bool]]]


def ssdpipe(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["data", *arguments])


def contents(root: Path, layout: str = "") -> Contents:
    """Class, box and flag of each object, by the content of its image."""
    data_set = find_data_set(str(root), layout)
    sources = [data_set.source(split) for split in data_set.splits]
    classes = discover_classes(sources)
    rows = [read_image(image, classes).row for each in sources for image in each.listing(each.located()).images]
    return {
        sha256(row.image).hexdigest(): sorted(
            (classes[label], tuple(box), bool(flag))
            for label, box, flag in zip(row.labels, row.boxes_xyxy.tolist(), row.difficult, strict=True)
        )
        for row in rows
        if row is not None
    }


def draw_apart(root: Path) -> None:
    """Make the images of a data set differ."""
    images = (path for path in sorted(root.rglob("*")) if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    for number, path in enumerate(images):
        old = cv2.imread(str(path))
        assert old is not None
        cv2.imwrite(str(path), np.full_like(old, 20 * number))


def assert_equal(found: Contents, expected: Contents, *, flags: bool) -> None:
    assert found.keys() == expected.keys()
    for image, objects in expected.items():
        assert [name for name, _, _ in found[image]] == [name for name, _, _ in objects]
        for (_, box, flag), (_, meant, wanted) in zip(found[image], objects, strict=True):
            assert np.allclose(box, meant, atol=0.5)
            assert not flags or flag == wanted


@pytest.mark.parametrize("back", TARGETS)
@pytest.mark.parametrize("to", TARGETS)
@pytest.mark.parametrize("origin", ["voc", "coco", "csv", "yolo"])
def test_a_data_set_is_equal_after_two_conversions(tmp_path: Path, origin: str, to: str, back: str) -> None:
    start, there, again = tmp_path / "start", tmp_path / "there", tmp_path / "again"
    start.mkdir()
    WRITERS[origin](start, PICTURES, random.Random(0))
    draw_apart(start)
    for source, target, place, layout in ((start, to, there, origin), (there, back, again, to)):
        done = ssdpipe("convert", str(source), "--layout", layout, "--to", target, "--out", str(place))
        assert done.exit_code == 0, done.output + str(done.exception)
        lost = contents(source, layout)
        assert len(lost) == len(PICTURES)
        assert_equal(contents(place, target), lost, flags=target != "yolo")
        assert ("difficult objects" in done.output) == (
            target != "voc" and any(flag for objects in lost.values() for _, _, flag in objects)
        )


def coco(root: Path, *annotations: Mapping[str, object]) -> Path:
    (root / "annotations").mkdir(parents=True)
    (root / "images").mkdir()
    cv2.imwrite(str(root / "images/7.jpg"), np.full((48, 64, 3), 9, np.uint8))
    whole = {
        "images": [{"id": 7, "file_name": "7.jpg", "width": 64, "height": 48}],
        "categories": [{"id": 5, "name": "cat"}],
        "annotations": [{"image_id": 7, "category_id": 5, **item} for item in annotations],
    }
    (root / "annotations/instances_train.json").write_text(json.dumps(whole))
    return root


def test_what_a_layout_cannot_hold_is_counted_and_named(tmp_path: Path) -> None:
    crowd = {"id": 12, "bbox": [0, 0, 60, 40], "iscrowd": 1, "area": 900}
    cat = {"id": 13, "bbox": [4.25, 5.5, 10, 10], "area": 70.5, "segmentation": [[4, 5, 14, 5, 14, 15]]}
    root = coco(tmp_path / "set", crowd, cat)
    voc = ssdpipe("convert", str(root), "--to", "voc", "--out", str(tmp_path / "voc"))
    assert voc.output.splitlines()[-5:-1] == [
        "1 images, 2 boxes, 1 classes",
        "not in layout voc: crowds, written as difficult objects: 1, first in images/7.jpg",
        "not in layout voc: stated areas and annotation ids of objects: 2, first in images/7.jpg",
        "not in layout voc: field segmentation of annotations: 1, first in annotations/instances_train.json: "
        "annotations[1]",
    ]
    assert "<xmin>4.25</xmin>" in (tmp_path / "voc/Annotations/7.xml").read_text()
    yolo = ssdpipe("convert", str(root), "--to", "yolo", "--out", str(tmp_path / "yolo"))
    assert "1 images, 1 boxes" in yolo.output
    assert "not in layout yolo: crowds, left out: 1" in yolo.output
    same = ssdpipe("convert", str(root), "--to", "coco", "--out", str(tmp_path / "coco"))
    assert "stated areas" not in same.output
    (image,) = json.loads((tmp_path / "coco/annotations/instances_train.json").read_text())["images"]
    assert image["id"] == 7


@pytest.mark.parametrize("layout", ["voc", "coco"])
def test_what_is_lost_of_an_image_in_several_splits_counts_once(tmp_path: Path, layout: str) -> None:
    outline = {"id": 2, "bbox": [1, 1, 9, 9], "segmentation": [[1, 1, 10, 1, 10, 10]]}
    root = coco(tmp_path / "set", outline)
    (root / "annotations/instances_train.json").rename(root / "annotations/instances_train2017.json")
    assert "trainval35k" in find_data_set(str(root)).splits
    if layout == "voc":
        assert ssdpipe("convert", str(root), "--to", "voc", "--out", str(tmp_path / "voc")).exit_code == 0
        root = tmp_path / "voc"
        file = root / "Annotations/7.xml"
        file.write_text(file.read_text().replace("<difficult>", "<truncated>1</truncated><difficult>"))
    done = ssdpipe("convert", str(root), "--to", "coco", "--out", str(tmp_path / "out"))
    lost = {"voc": "element truncated of objects: 1,", "coco": "field segmentation of annotations: 1,"}[layout]
    assert f"not in layout coco: {lost}" in done.output


def test_nothing_is_written_when_a_strict_conversion_would_lose_something(tmp_path: Path) -> None:
    root = coco(tmp_path / "set", {"id": 1, "bbox": [0, 0, 60, 40], "iscrowd": 1}, {"id": 2, "bbox": [1, 1, 9, 9]})
    done = ssdpipe("convert", str(root), "--to", "yolo", "--out", str(tmp_path / "out"), "--strict")
    assert isinstance(done.exception, PipelineError)
    assert "crowds, left out: 1" in str(done.exception)
    assert [each.name for each in tmp_path.iterdir()] == ["set"]


def test_a_folder_with_files_is_not_written_into(tmp_path: Path) -> None:
    root = coco(tmp_path / "set", {"id": 2, "bbox": [1, 1, 9, 9]})
    done = ssdpipe("convert", str(root), "--to", "voc", "--out", str(root))
    assert "is not empty" in str(done.exception)


def test_images_of_one_name_in_several_folders_keep_their_own_boxes(tmp_path: Path) -> None:
    lines = ["image,xmin,ymin,xmax,ymax,class,split"]
    for number, place in enumerate(("train/a.jpg", "test/a.jpg"), start=1):
        (tmp_path / "set" / place).parent.mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "set" / place), np.full((48, 64, 3), 9 * number, np.uint8))
        lines.append(f"{place},{number},1,30,30,cat,{place.partition('/')[0]}")
    (tmp_path / "set/boxes.csv").write_text("\n".join(lines))
    done = ssdpipe("convert", str(tmp_path / "set"), "--to", "voc", "--out", str(tmp_path / "voc"))
    assert "images that got another name: 2, first in test/a.jpg, now test_a" in done.output
    assert_equal(contents(tmp_path / "voc"), contents(tmp_path / "set"), flags=True)


@pytest.mark.parametrize("splits", [("train", "trainval"), ("train", "fold1")])
def test_splits_that_yolo_cannot_name_are_refused(tmp_path: Path, splits: tuple[str, str]) -> None:
    root = coco(tmp_path / "set", {"id": 2, "bbox": [1, 1, 9, 9]})
    (root / f"annotations/instances_{splits[1]}.json").write_bytes(
        (root / "annotations/instances_train.json").read_bytes()
    )
    done = ssdpipe("convert", str(root), "--to", "yolo", "--out", str(tmp_path / "out"))
    assert "choose splits with --split" in str(done.exception)


def test_splits_that_share_images_become_lists_of_yolo(tmp_path: Path) -> None:
    root = coco(tmp_path / "set", {"id": 2, "bbox": [1, 1, 9, 9]})
    (root / "annotations/instances_val.json").write_bytes((root / "annotations/instances_train.json").read_bytes())
    assert ssdpipe("convert", str(root), "--to", "yolo", "--out", str(tmp_path / "out")).exit_code == 0
    assert (tmp_path / "out/val.txt").read_text() == "./images/train/7.jpg\n"
    assert find_data_set(str(tmp_path / "out")).splits == ("train", "val")
    assert_equal(contents(tmp_path / "out"), contents(root), flags=True)
