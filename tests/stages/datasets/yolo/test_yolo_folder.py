"""The YOLO layout in its usual forms, with boxes computed by hand; images are 200 wide and 100 high."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from experiments.cli.main import app
from experiments.cli.requests import TrainRequest
from pipeline.errors import PipelineError
from ssd_core.data.shards import ShardSet
from stages.datasets.defects import Kind
from stages.datasets.find import find_data_set
from stages.datasets.yolo.yolo_folder import YoloFolder
from stages.placement import Placement
from stages.shards.shard import Shard

YAML = "names: [cat, dog]\nnc: 2\n"
BOX = "1 0.5 0.4 0.2 0.6\n"  # 0.4..0.6 of 200 and 0.1..0.7 of 100
BOX_XYXY = [80, 10, 120, 70]


def write(root: Path, files: dict[str, str]) -> Path:
    """Write text files; the text of an image is its orientation in EXIF, or "" for a file without."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(_jpeg(text) if name.endswith(".jpg") else text.encode())
    return root


def _jpeg(orientation: str) -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (100, 200, 3), np.uint8)
    encoded = bytes(cv2.imencode(".jpg", noise)[1].tobytes())
    if not orientation:
        return encoded
    entry = b"\x12\x01\x03\x00\x01\x00\x00\x00" + bytes([int(orientation), 0, 0, 0])
    exif = b"Exif\0\0II*\0\x08\x00\x00\x00\x01\x00" + entry + b"\0\0\0\0"
    return encoded[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + encoded[2:]


def labelled(root: Path, labels: str, yaml: str = YAML) -> Path:
    """A data set with one image in its split train."""
    files = {"data.yaml": f"train: images/train\n{yaml}", "images/train/a.jpg": "", "labels/train/a.txt": labels}
    return write(root, files)


def rows(root: Path, in_process, split: str = "train"):
    stage = Shard(sources=(YoloFolder(name="set", root=str(root), split=split),))
    stage.external_digest()
    stage.run(ctx := in_process(stage))
    return list(ShardSet(ctx.out.path)), ctx.out.read_json("report.json")


ROBOFLOW = {"train/images/a.jpg": "", "train/labels/a.txt": BOX, "valid/images/b.jpg": "", "valid/labels/b.txt": BOX}
ULTRALYTICS = {"images/train/a.jpg": "", "labels/train/a.txt": BOX, "images/val/b.jpg": "", "labels/val/b.txt": BOX}
DARKNET = {"obj/a.jpg": "", "obj/a.txt": BOX, "obj/b.jpg": "", "obj/b.txt": BOX}


@pytest.mark.parametrize(
    "files",
    [
        {"data.yaml": f"path: .\ntrain: images/train\nval: images/val\n{YAML}", **ULTRALYTICS},
        {"coco8.yaml": "path: ../datasets/coco8\ntrain: images/train\nnames: {0: cat, 1: dog}", **ULTRALYTICS},
        {"data.yaml": f"path: /content/coco8\ntrain: images/train\nval: images/val\n{YAML}", **ULTRALYTICS},
        {"data.yaml": f"path: C:\\data\\coco8\ntrain: images\\train\nval: images\\val\n{YAML}", **ULTRALYTICS},
        {"data.yaml": f"train: /home/me/coco8/images/train\n{YAML}", **ULTRALYTICS},
        {"data.yaml": f"train: [images/train, images/more]\n{YAML}", **ULTRALYTICS, "images/more/b.jpg": ""},
        {"data.yaml": f"train: ../train/images\nval: ../valid/images\ntest: ../test/images\n{YAML}", **ROBOFLOW},
        {"data.yaml": f"train: list.txt\n{YAML}", "list.txt": "./images/train/a.jpg\n", **ULTRALYTICS},
        {"classes.txt": "cat\ndog\n\n", **ULTRALYTICS},
        {"classes.txt": "cat\ndog\n", **ROBOFLOW},
        {"classes.txt": "cat\ndog\n", "images/a.jpg": "", "labels/a.txt": BOX},
        {"labels/classes.txt": "cat\ndog\n", "images/a.jpg": "", "labels/a.txt": BOX},
        {"classes.txt": "cat\ndog\n", "a.jpg": "", "a.txt": BOX},
        {"obj.names": "cat\ndog\n", "train.txt": "data/obj/a.jpg\ndata/obj/absent.jpg\n", **DARKNET},
        {"data/obj.names": "cat\ndog\n", "data/train.txt": "C:\\yolo\\obj\\a.jpg\n", **DARKNET},
    ],
)
def test_the_usual_forms_are_recognised_and_give_the_box_in_pixels(tmp_path, in_process, files) -> None:
    found = find_data_set(str(write(tmp_path, files)))
    assert found.layout == "yolo"
    assert "train" in found.splits
    (row, *_), report = rows(tmp_path, in_process)
    assert Path(row.image_id).name == "a.jpg"
    np.testing.assert_allclose(row.boxes_xyxy, [BOX_XYXY], rtol=1e-6)
    assert report["boxes_written"] == report["boxes_annotated"] == 1
    assert find_data_set(str(tmp_path)).source("train").survey().objects_per_class == {"dog": 1}


def test_classes_are_sorted_by_name_whatever_their_index(tmp_path, in_process) -> None:
    (row,), _ = rows(labelled(tmp_path, "0 .5 .5 .1 .1\n1 .5 .5 .2 .2\n", "names: [zebra, ant]"), in_process)
    assert row.labels.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1 .5 .5 .2", "4 values: neither"),
        ("1 .5 .5 .2 .2 .93", "6 values: class, box and a confidence are a prediction"),
        ("1 .1 .1 .2 .2 .3 .3 .4", "8 values: neither"),
        ("2 .5 .5 .2 .2", "class 2, but the names have the indices 0 to 1"),
        ("-1 .5 .5 .2 .2", "class -1, but"),
        ("0.5 .5 .5 .2 .2", "class 0.5, but"),
        ("cat .5 .5 .2 .2", "class is 'cat', not a number"),
        ("1 .5 .5 nan .2", "width is 'nan', not a finite number"),
        ("1 ,5 .5 .2 .2", "x is ',5', not a number"),
        ("1 .5 .5 -.2 .2", "size -0.2 x 0.2 is negative"),
        ("1 100 50 40 60", "x is 100, not a fraction of the image; pixels must be divided by its size"),
    ],
)
def test_a_line_without_a_box_is_left_out_with_its_number_and_counted(tmp_path, in_process, line, reason) -> None:
    (row,), report = rows(labelled(tmp_path, f"{BOX}\n{line}\n"), in_process)
    ((kind, detail),) = [(item["kind"], item["detail"]) for item in report["list"]]
    assert kind == Kind.UNREADABLE_LINE
    assert detail.startswith(f"line 3: {reason}")
    assert len(row.labels) == 1
    assert (report["boxes_annotated"], report["boxes_written"], report["boxes_left_out"]) == (2, 1, 1)


@pytest.mark.parametrize("line", ["1 .5 .5 .2 .2 .93", "1 100 50 40 60"])
def test_a_split_without_a_readable_line_is_refused(tmp_path, line) -> None:
    with pytest.raises(PipelineError, match=r"none of 2 lines of labels holds a box: labels/train/a.txt, line 1: "):
        find_data_set(str(labelled(tmp_path, f"{line}\n{line}\n"))).source("train").survey()


def test_a_class_may_be_written_as_a_decimal(tmp_path, in_process) -> None:
    (row,), report = rows(labelled(tmp_path, "1.0 0.5 0.4 0.2 0.6\n"), in_process)
    assert (len(row.labels), report["defects"]) == (1, {})


def test_an_outline_becomes_the_box_around_it(tmp_path, in_process) -> None:
    (row,), report = rows(labelled(tmp_path, "1 .1 .2 .4 .3 .2 .9\n"), in_process)
    np.testing.assert_allclose(row.boxes_xyxy, [[20, 20, 80, 90]], rtol=1e-6)
    assert [(item["kind"], item["detail"]) for item in report["list"]] == [
        (Kind.UNREAD, "boxes taken around outlines: 1")
    ]


def test_keypoints_after_a_box_are_not_read(tmp_path, in_process) -> None:
    line = BOX.strip() + " .5 .5 2 .6 .6 1\n"
    (row,), report = rows(labelled(tmp_path, line, f"{YAML}kpt_shape: [2, 3]"), in_process)
    np.testing.assert_allclose(row.boxes_xyxy, [BOX_XYXY], rtol=1e-6)
    assert [(item["kind"], item["detail"]) for item in report["list"]] == [(Kind.UNREAD, "keypoints, of objects: 1")]


@pytest.mark.parametrize(
    ("line", "expected", "defects"),
    [
        ("1 .5 .5 1 1", [[0, 0, 200, 100]], {}),
        ("1 .333333 .5 .666667 .5", [[0, 25, 133.3333, 75]], {}),  # rounding puts xmin at -0.0000005
        ("1 .9 .5 .3 .5", [[150, 25, 200, 75]], {Kind.CLIPPED: 1}),
        ("1 .5 .5 0 .5", [], {Kind.ZERO_AREA: 1}),
        ("1 1.5 .5 .2 .2", [], {Kind.OUTSIDE: 1}),
        (f"{BOX.strip()}\n{BOX}", [BOX_XYXY], {Kind.DUPLICATE_BOX: 1}),
    ],
)
def test_boxes_at_the_border_are_clipped_except_for_rounding(tmp_path, in_process, line, expected, defects) -> None:
    (row,), report = rows(labelled(tmp_path, line), in_process)
    assert report["defects"] == defects
    np.testing.assert_allclose(row.boxes_xyxy[:1].tolist(), expected, rtol=1e-5)


def test_an_image_without_labels_has_no_objects_and_labels_without_an_image_are_reported(tmp_path, in_process) -> None:
    extra = {
        "images/train/b.jpg": "",
        "images/train/c.jpg": "",
        "labels/train/c.txt": "",
        "labels/train/d.txt": BOX * 2,
    }
    found, report = rows(write(labelled(tmp_path, BOX), extra), in_process)
    assert [len(row.labels) for row in found] == [1, 0, 0]
    assert report["images_without_objects"] == 2
    assert [(item["kind"], item["file"], item["detail"]) for item in report["list"]] == [
        (Kind.ORPHAN_ANNOTATION, "labels/train/d.txt", "no image, 2 boxes")
    ]
    assert (report["boxes_annotated"], report["boxes_written"], report["boxes_of_left_out_images"]) == (3, 1, 2)


def test_a_split_without_any_label_file_is_refused_with_where_it_was_looked_for(tmp_path) -> None:
    (labelled(tmp_path, BOX) / "labels/train/a.txt").unlink()
    with pytest.raises(PipelineError, match=r"none of the 1 images has .* labels/train/a.txt and images/train/a.txt"):
        find_data_set(str(tmp_path)).source("train").survey()


def test_images_rotated_by_exif_are_left_out_since_their_fractions_are_of_the_rotated_image(
    tmp_path, in_process
) -> None:
    extra = {"images/train/b.jpg": "6", "labels/train/b.txt": BOX}
    found, report = rows(write(labelled(tmp_path, BOX), extra), in_process)
    assert [row.image_id for row in found] == ["images/train/a.jpg"]
    assert report["defects"] == {Kind.ROTATED: 1}


def test_a_listed_image_that_is_missing_is_not_replaced_by_one_of_another_folder(tmp_path) -> None:
    names = ("a", "b", "c")
    listed = "".join(f"/home/me/set/images/train/{name}.jpg\n" for name in names)
    files = {"data.yaml": f"train: train.txt\n{YAML}", "train.txt": listed, "images/c.jpg": "", "train/c.jpg": ""}
    files |= {f"images/train/{name}.jpg": "" for name in "ab"} | {"labels/train/a.txt": BOX}
    survey = find_data_set(str(write(tmp_path, files))).source("train").survey()
    assert survey.files == ["images/train/a.jpg", "images/train/b.jpg", ""]


def test_an_image_listed_twice_is_reported(tmp_path, in_process) -> None:
    write(
        labelled(tmp_path, BOX, YAML),
        {"data.yaml": f"train: train.txt\n{YAML}", "train.txt": "images/train/a.jpg\n" * 2},
    )
    found, report = rows(tmp_path, in_process)
    assert (len(found), report["defects"], report["images_left_out"]) == (1, {Kind.DUPLICATE_ID: 1}, 1)


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("names: [cat]\nnc: 2", r"data.yaml: nc is 2, but the number of names is 1"),
        ("nc: 2", "data.yaml: names is None: list the names"),
        ("names: []", r"names is \[\]: list the names"),
        ("names: [cat, no]", "name 1 is False, as YAML reads yes, no, on and off: put it in quotes"),
        ("names: [cat, '']", "name 1 is missing or empty"),
        ("names: [cat, cat]", "the name 'cat' stands for several classes"),
        ("names: {-1: cat}", "names has the index -1"),
        ("names: [cat", "data.yaml is no valid YAML"),
        ("names: [cat]\nkpt_shape: 17", "kpt_shape is 17"),
        ('names: [cat]\nval: "a\\0b"', "val is .*, which is no path"),
        (f"names: [cat]\nval: {'x' * 300}", "val is 'xxx.*, which is no path"),
        (f"names: [cat]\npath: /{'x' * 300}/y", "path is '/xxx.*, which is no path"),
        ("names: [cat]\npath: [a]", r"path is \['a'\], not a name"),
    ],
)
def test_an_invalid_yaml_is_refused_with_its_place(tmp_path, yaml, message) -> None:
    with pytest.raises(PipelineError, match=message):
        find_data_set(str(labelled(tmp_path, BOX, yaml)))


def test_names_of_a_text_file_may_not_be_blank_or_repeated(tmp_path) -> None:
    write(tmp_path, {"images/a.jpg": "", "labels/a.txt": BOX})
    for names, message in [
        ("cat\n\ndog", "line 2 is missing"),
        ("cat\ncat", "'cat' stands for"),
        ("", "holds no name"),
    ]:
        with pytest.raises(PipelineError, match=f"classes.txt: .*{message}"):
            find_data_set(str(write(tmp_path, {"classes.txt": names})))


def test_splits_that_do_not_exist_are_reported_and_refused_when_requested(tmp_path) -> None:
    data = find_data_set(str(labelled(tmp_path, BOX, f"{YAML}test: ../test/images\n")))
    assert data.splits == ("train",)
    with pytest.raises(PipelineError, match=r"split 'test' does not exist: .*data.yaml names ../test/images, but"):
        data.source("test").survey()
    with pytest.raises(PipelineError, match=r"has no split 'tran' .*there is only train"):
        data.source("tran").survey()
    (tmp_path / "images").rename(tmp_path / "elsewhere")
    with pytest.raises(
        PipelineError, match=r"none of its splits exists below .*: train: images/train; test: .*Copy the YAML"
    ):
        find_data_set(str(tmp_path))


def test_what_is_not_read_of_a_yaml_is_reported(tmp_path, in_process) -> None:
    yaml = f"path: /content/set\ntest: images/test\naugment: true\nroboflow: {{version: 1}}\n{YAML}"
    _, report = rows(labelled(tmp_path, BOX, yaml), in_process)
    assert [(item["kind"], item["file"], item["detail"]) for item in report["list"]] == [
        (Kind.UNREAD, "data.yaml", "key augment"),
        (Kind.UNREAD, "data.yaml", "test: images/test does not exist (path: /content/set)"),
        (Kind.UNREAD, "data.yaml", "path: /content/set lies elsewhere; read below the data set's folder"),
    ]


def test_what_is_not_read_of_a_file_that_splits_share_is_reported_once(tmp_path) -> None:
    yaml = {"data.yaml": f"train: train/images\nval: valid/images\naugment: true\n{YAML}"}
    done = CliRunner().invoke(app, ["data", "check", str(write(tmp_path, yaml | ROBOFLOW))])
    assert "that is not read: 1, kept unchanged\n  data.yaml: key augment\n" in done.stdout


def test_of_several_yaml_files_data_yaml_is_read_and_others_are_refused(tmp_path) -> None:
    write(labelled(tmp_path, BOX), {"other.yaml": f"train: images/train\n{YAML}", "unrelated.yaml": "- 1"})
    assert find_data_set(str(tmp_path)).splits == ("train",)
    (tmp_path / "data.yaml").rename(tmp_path / "third.yaml")
    with pytest.raises(PipelineError, match=r"several YAML files of a data set: other.yaml, third.yaml; keep one"):
        find_data_set(str(tmp_path))


def test_labels_that_are_no_text_are_refused_with_line_and_byte(tmp_path) -> None:
    (labelled(tmp_path, BOX) / "labels/train/a.txt").write_bytes(BOX.encode() + b"\xff")
    with pytest.raises(PipelineError, match=r"labels/train/a.txt, line 2: byte 0xff"):
        find_data_set(str(tmp_path)).source("train").survey()


def test_images_in_no_split_are_reported_with_their_labels(tmp_path) -> None:
    extra = {"images/left/b.jpg": "", "labels/left/b.txt": BOX}
    done = CliRunner().invoke(app, ["data", "check", str(write(labelled(tmp_path, BOX), extra))])
    assert "image in no split: 1, kept unchanged\n  images/left/b.jpg" in done.stdout
    assert "annotation file in no split: 1, kept unchanged\n  labels/left/b.txt" in done.stdout
    assert "boxes   1 annotated, 1 sound, 0 left out" in done.stdout


def test_another_layout_wins_unless_yolo_is_requested(voc) -> None:
    write(voc.root, {"data.yaml": f"train: JPEGImages\n{YAML}", "labels/a.txt": BOX})
    assert find_data_set(str(voc.root)).layout == "voc"
    done = CliRunner().invoke(app, ["data", "check", str(voc.root), "--layout", "yolo", "--split", "train"])
    assert "layout yolo" in done.stdout
    assert "boxes   1 annotated, 1 sound" in done.stdout


def test_a_folder_without_a_yaml_or_names_is_refused(tmp_path) -> None:
    with pytest.raises(PipelineError, match=r"not a data set in YOLO layout: looked for a .yaml with names"):
        YoloFolder(name="set", root=str(tmp_path), split="train").located()


def test_a_training_takes_the_splits_of_the_folder(tmp_path) -> None:
    yaml = {"data.yaml": f"train: ../train/images\nval: ../valid/images\n{YAML}"}
    evaluation = TrainRequest(recipe="ssd-tiny", data=str(write(tmp_path, yaml | ROBOFLOW))).target(Placement())
    assert isinstance(evaluation.shards, Shard)
    assert evaluation.shards.classes == ("dog",)
    assert evaluation.shards.sources[0].survey().ids == ["valid/images/b.jpg"]


@pytest.mark.parametrize(
    ("train", "file", "labels", "kind"),
    [
        ("images/train", "labels/train/z.txt", BOX, Kind.ORPHAN_ANNOTATION),
        ("images/train", "labels/train/b.TXT", BOX, Kind.ORPHAN_ANNOTATION),
        ("images/train", "labels/train/z.txt", "0 0.5 0.5 0.1 0.1 0.9", Kind.ORPHAN_FILE),
        ("train.txt", "labels/train/z.txt", BOX, Kind.ORPHAN_FILE),
    ],
)
def test_a_label_file_that_belongs_to_no_image_is_reported_once(tmp_path, train, file, labels, kind):
    labelled(tmp_path, BOX)
    write(tmp_path, {"images/train/b.jpg": "", "train.txt": "images/train/a.jpg\nimages/train/b.jpg\n", file: labels})
    write(tmp_path, {"data.yaml": f"train: {train}\n{YAML}", "labels/train/classes.txt": "cat\ndog\n"})
    done = CliRunner().invoke(app, ["data", "check", str(tmp_path), "--json"])
    found = [each for each in json.loads(done.stdout)["list"] if each["file"].startswith("labels")]
    assert [(each["kind"], each["file"]) for each in found] == [(kind, file)]
