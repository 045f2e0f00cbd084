"""The ILSVRC DET layout, on folders that the tests write as the development kit describes them."""

import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from experiments.cli.main import app
from pipeline.errors import PipelineError
from ssd_core.data.shards import ShardSet
from ssd_core.spec.ilsvrc_vocabulary import ILSVRC_CLASSES, ILSVRC_SYNSETS
from stages.datasets.ilsvrc import IlsvrcDet
from stages.shards.shard import Shard

DOG, ZEBRA = "n02084071", "n02391049"


@pytest.fixture
def root(voc, tmp_path):
    """Two training images, one of them without boxes, and two validation images."""
    voc.annotation("dog", (DOG, 0, 0, 50, 60), (ZEBRA, 10, 20, 50, 60))
    voc.annotation("empty")
    place = tmp_path / "ILSVRC"
    for image, annotation in (
        ("train/n02084071/n02084071_1", "dog"),
        ("train/ILSVRC2013_train_extra0/ILSVRC2013_train_00000001", "empty"),
        ("val/ILSVRC2012_val_00000001", "dog"),
        ("val/ILSVRC2013_val_00000002", "empty"),
    ):
        for top, file, suffix in (
            ("Data", "JPEGImages/a.jpg", ".JPEG"),
            ("Annotations", f"Annotations/{annotation}.xml", ".xml"),
        ):
            target = place / f"{top}/DET/{image}{suffix}"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(voc.root / file, target)
    lists = place / "ImageSets/DET"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("n02084071/n02084071_1 1\nILSVRC2013_train_extra0/ILSVRC2013_train_00000001 2\n")
    (lists / "val1.txt").write_text("ILSVRC2012_val_00000001\n")
    (lists / "val2.txt").write_text(
        "Data/DET/val/ILSVRC2013_val_00000002.JPEG Annotations/DET/val/ILSVRC2013_val_00000002.xml\n"
    )
    return place


def source(root, split, **rest):
    return IlsvrcDet(name="ilsvrc", split=split, root=str(root), **rest)


def listed(root, split):
    found = source(root, split)
    return found.listing(found.located())


def check(root):
    return CliRunner().invoke(app, ["data", "check", str(root)])


def run(stage, in_process):
    stage.external_digest()
    stage.run(ctx := in_process(stage))
    return list(ShardSet(ctx.out.path)), ctx.out.read_json("report.json")


def test_the_200_classes_are_in_the_order_of_the_original_label_map():
    assert len(ILSVRC_CLASSES) == len(ILSVRC_SYNSETS) == 200
    assert (ILSVRC_CLASSES[0], ILSVRC_CLASSES[57], ILSVRC_CLASSES[199]) == ("accordion", "dog", "zebra")
    assert list(ILSVRC_SYNSETS)[27:29] == ["n02883205", "n02879718"]  # bow_tie comes before bow


def test_training_uses_the_lists_of_train_and_val1_and_skips_images_without_boxes(root, in_process):
    sources = tuple(source(root, split, skip_empty=True) for split in ("train", "val1"))
    rows, report = run(Shard(sources=sources, classes=ILSVRC_CLASSES), in_process)
    assert [row.image_id for row in rows] == ["train/n02084071/n02084071_1", "val/ILSVRC2012_val_00000001"]
    np.testing.assert_array_equal(rows[0].boxes_xyxy, [[0, 0, 50, 60], [10, 20, 50, 60]])
    np.testing.assert_array_equal(rows[0].labels, [57, 199])
    assert report["defects"] == {"image without objects, skipped on request": 1}
    assert (report["images_listed"], report["images_left_out"]) == (3, 1)


def test_a_test_list_keeps_its_images_without_boxes(root, in_process):
    rows, _ = run(Shard(sources=(source(root, "val2"),), classes=ILSVRC_CLASSES), in_process)
    assert [(row.image_id, len(row.labels)) for row in rows] == [("val/ILSVRC2013_val_00000002", 0)]


def test_the_folder_or_its_parent_may_be_given(root):
    assert source(root, "train").digest() == source(root.parent, "train").digest()


def test_a_missing_list_says_where_it_belongs(root):
    (root / "ImageSets/DET/val2.txt").unlink()
    with pytest.raises(PipelineError, match=r"no split 'val2' \(ImageSets/DET/val2.txt\); did you mean 'val1'"):
        source(root, "val2").digest()


@pytest.mark.parametrize(
    "line",
    [
        "ILSVRC2012_val_00000001",
        "ILSVRC2012_val_00000001 -1",
        "ILSVRC2012_val_00000001.JPEG 7",
        "val/ILSVRC2012_val_00000001",
        "./Data/DET/val/ILSVRC2012_val_00000001.JPEG",
        r"ILSVRC\Data\DET\val\ILSVRC2012_val_00000001.JPEG Annotations\DET\val\ILSVRC2012_val_00000001.xml",
    ],
)
def test_a_line_names_an_image_by_its_id_its_file_name_or_its_path(root, line):
    (root / "ImageSets/DET/val1.txt").write_bytes(b"\xef\xbb\xbf" + line.encode() + b"\r\n")
    (image,) = listed(root, "val1").images
    assert (image.image_id, image.found) == ("val/ILSVRC2012_val_00000001", True)
    assert image.annotation_file == "Annotations/DET/val/ILSVRC2012_val_00000001.xml"


def test_an_id_may_contain_blanks_and_end_in_a_number(root):
    for top, suffix in (("Data", ".JPEG"), ("Annotations", ".xml")):
        file = root / f"{top}/DET/val/ILSVRC2012_val_00000001{suffix}"
        file.rename(file.with_name(f"img 1{suffix}"))
    (root / "ImageSets/DET/val1.txt").write_text("img 1\n")
    (image,) = listed(root, "val1").images
    assert (image.image_id, image.found, image.annotation_file) == ("val/img 1", True, "Annotations/DET/val/img 1.xml")


def test_the_second_path_of_a_line_is_the_annotation(root):
    (root / "ImageSets/DET/val2.txt").write_text(
        "Data/DET/val/ILSVRC2013_val_00000002.JPEG Annotations/DET/val/ILSVRC2012_val_00000001.xml\n"
    )
    (image,) = listed(root, "val2").images
    assert image.annotation_file == "Annotations/DET/val/ILSVRC2012_val_00000001.xml"


def test_the_list_of_a_class_is_no_split(root):
    (root / "ImageSets/DET/train_12.txt").write_text("n02084071/n02084071_1 1\n")
    assert check(root).output.count("train_12") == 0
    assert "train  2" in check(root).output
    for name in ("train", "val1", "val2"):
        (root / f"ImageSets/DET/{name}.txt").unlink()
    assert "no list of a split: there are only lists of classes" in str(check(root).exception)


@pytest.mark.parametrize(
    ("content", "place"),
    [(b"a 1\n.", r"line 2: '\.' names no image"), (b"a\n\xff", "line 2: byte 0xff"), (b"", "is empty")],
)
def test_a_list_that_cannot_be_read_is_refused_with_its_place(root, content, place):
    (root / "ImageSets/DET/val1.txt").write_bytes(content)
    with pytest.raises(PipelineError, match=place):
        listed(root, "val1")


def test_missing_images_and_xml_of_another_kind_are_reported(root):
    (root / "Annotations/DET/train/n02084071/n02084071_1.xml").write_text("<annotations/>")
    (root / "ImageSets/DET/val1.txt").write_text("ILSVRC2012_val_00000001\nILSVRC2012_val_00000009\n")
    lines = check(root).output.splitlines()
    assert "XML that is no VOC annotation: 1, image left out" in lines
    assert "  Data/DET/val/ILSVRC2012_val_00000009.JPEG: no file with this name" in lines
