import subprocess
import sys
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pandas
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.keys.code_digest import code_of
from pipeline.keys.fingerprint import describe
from ssd_core.data.shards import ShardSet
from stages.datasets.voc import VocFolder
from stages.datasets.xml.voc_xml import parse
from stages.shards.shard import Shard
from stages.shards.shard_writing import write_piece


def shard(root, split="train", *, name="pets", **rest):
    return Shard(sources=(VocFolder(name=name, split=split, root=str(root)),), **rest)


@pytest.fixture
def run(in_process):
    """Run a stage and return its shards and report."""

    def run_stage(stage):
        stage.external_digest()
        stage.run(ctx := in_process(stage))
        return ShardSet(ctx.out.path), ctx.out.read_json("report.json")

    return run_stage


def accounts_balance(report):
    return (
        report["images_listed"] == report["images_written"] + report["images_left_out"]
        and report["boxes_annotated"]
        == report["boxes_written"] + report["boxes_left_out"] + report["boxes_of_left_out_images"]
    )


def test_a_row_holds_the_bytes_as_found_and_the_boxes_as_annotated(voc, run):
    voc.annotation("a", ("cat", 10, 20, 50, 60), ("dog", 1, 1, 100, 80), difficult=True)
    shards, _ = run(shard(voc.root))
    row = shards.row(0)
    assert (row.image_id, row.source, row.width, row.height) == ("a", "pets", 100, 80)
    assert row.image == (voc.root / "JPEGImages/a.jpg").read_bytes()
    np.testing.assert_array_equal(row.boxes_xyxy, [[10, 20, 50, 60], [1, 1, 100, 80]])
    np.testing.assert_array_equal(row.labels, [0, 1])
    np.testing.assert_array_equal(row.difficult, [True, True])
    np.testing.assert_array_equal(row.area, [41 * 41, 100 * 80])  # inclusive corners
    np.testing.assert_array_equal(row.annotation_ids, [0, 1])


def test_the_manifest_counts_what_the_files_hold(voc, run):
    shards, _ = run(shard(voc.root, images_per_shard=1))
    manifest = shards.manifest
    assert (manifest["images"], manifest["boxes"]) == (2, 2)
    assert manifest["objects_per_class"] == {"cat": 1, "dog": 1}
    assert [file["name"] for file in manifest["files"]] == ["images-00000.parquet", "images-00001.parquet"]
    shards.verify()


def test_sources_are_concatenated_and_every_row_names_its_source(voc, run):
    stage = Shard(
        sources=(
            VocFolder(name="pets", split="test", root=str(voc.root)),
            VocFolder(name="pets", split="train", root=str(voc.root)),
        )
    )
    shards, _ = run(stage)
    assert [(row.source, row.image_id) for row in shards] == [("pets", "b"), ("pets", "a"), ("pets", "b")]


def test_two_runs_give_the_same_bytes_whatever_the_order_of_work(voc, in_process):
    def backwards(function, items, **_):
        return [function(item) for item in reversed(items)][::-1]

    stage = shard(voc.root, images_per_shard=1)
    first, second = in_process(stage, "first"), in_process(stage, "second", mapper=backwards)
    stage.run(first)
    stage.run(second)
    assert first.out.files() == second.out.files()
    assert all(first.out.read_bytes(name) == second.out.read_bytes(name) for name in first.out.files())


def test_an_image_without_objects_is_written_and_is_not_a_defect(voc, run):
    voc.annotation("a")
    shards, report = run(shard(voc.root, strict=True))
    assert len(shards) == 2
    assert shards.row(0).boxes_xyxy.shape == (0, 4)
    assert report["images_without_objects"] == 1


def test_every_defect_is_counted_and_listed_with_its_place_and_nothing_else_is_lost(voc, run):
    ids = ["a", "b", "no-image", "no-xml", "bad-xml", "cut", "boxes", "b", "png"]
    voc.split("train", ids)
    voc.annotation("no-image", ("cat", 1, 1, 9, 9), ("cat", 2, 2, 9, 9))
    voc.image("no-xml")
    voc.image("bad-xml")
    (voc.root / "Annotations/bad-xml.xml").write_bytes(b"<annotation><object>")
    cut = voc.image("cut")
    cut.write_bytes(cut.read_bytes()[:-500])
    voc.annotation("cut", ("dog", 1, 1, 9, 9))
    voc.image("boxes")
    voc.annotation(
        "boxes",
        ("cat", 5, 5, 5, 9),
        ("cat", 200, 1, 210, 9),
        ("dog", 90, 1, 120, 9),
        ("dog", 9, 9, 1, 1),
        ("dog", 1, 1, 9, 9),
        size=(0, 0),
    )
    voc.image("png", suffix=".png").rename(voc.root / "JPEGImages/png.jpg")
    voc.annotation("png")
    shards, report = run(shard(voc.root))
    assert [row.image_id for row in shards] == ["a", "b", "boxes", "png"]
    np.testing.assert_array_equal(shards.row(2).boxes_xyxy, [[90, 1, 100, 9], [1, 1, 9, 9], [1, 1, 9, 9]])
    np.testing.assert_array_equal(shards.row(2).annotation_ids, [2, 3, 4])
    assert report["defects"] == {
        "missing annotation": 1,
        "broken XML": 1,
        "missing image": 1,
        "unreadable or truncated image": 1,
        "id listed twice": 1,
        "zero area": 1,
        "box outside its image": 1,
        "swapped corners": 1,
        "object annotated twice": 1,
        "box crosses the image border": 1,
        "wrong size in annotation": 1,
        "extension of another format": 1,
    }
    assert {(entry["file"], entry["object"]) for entry in report["list"] if entry["kind"] == "zero area"} == {
        ("Annotations/boxes.xml", 0)
    }
    assert accounts_balance(report)
    assert (report["boxes_annotated"], report["boxes_of_left_out_images"]) == (10, 3)


def test_a_strict_sharding_refuses_and_lists_the_first_defects(voc, run):
    voc.annotation("a", ("cat", 5, 5, 5, 9))
    with pytest.raises(PipelineError, match=r"1 defect that.*\n.*Annotations/a.xml, object 0: zero area"):
        run(shard(voc.root, strict=True))


def test_any_sharding_refuses_a_flag_that_it_cannot_read_and_names_its_places(voc, run):
    for number in range(12):
        path = voc.annotation(f"c{number}", ("cat", 5, 5, 9, 9))
        path.write_text(path.read_text().replace("<difficult>0", "<difficult>perhaps"))
        voc.image(f"c{number}")
    voc.split("train", ["a", *(f"c{number}" for number in range(12))])
    with pytest.raises(PipelineError, match=r"12 defects must be fixed:\n.*c0.xml, object 0: flag(?s:.*)and 2 more"):
        run(shard(voc.root))


def test_a_strict_sharding_accepts_what_is_legal(voc, run):
    voc.image("b", suffix=".png").rename(voc.root / "JPEGImages/b.jpg")
    _, report = run(shard(voc.root, strict=True, ignore_classes=("cat",)))
    assert report["defects"] == {"class ignored on request": 1, "extension of another format": 1}
    assert accounts_balance(report)


def test_an_unknown_class_is_refused_at_planning_with_its_count_and_the_nearest_name(voc):
    voc.annotation("b", ("Dog", 1, 1, 9, 9), ("Dog", 1, 1, 9, 9))
    with pytest.raises(PipelineError, match=r"'Dog' \(2 objects\); did you mean 'dog'\? There are: cat, dog"):
        shard(voc.root, classes=("cat", "dog")).external_digest()


def test_a_test_set_uses_the_labels_of_the_class_list_that_it_is_given(voc, run):
    shards, _ = run(shard(voc.root, "test", classes=("bird", "cat", "dog")))
    np.testing.assert_array_equal(shards.row(0).labels, [2])
    assert shards.classes == ("bird", "cat", "dog")


def test_a_data_set_whose_images_are_all_unusable_is_refused(voc, run):
    for image_id in "ab":
        (voc.root / f"JPEGImages/{image_id}.jpg").write_bytes(b"")
    with pytest.raises(PipelineError, match="none of 2 images can be used"):
        run(shard(voc.root))


def test_a_killed_sharding_resumes_after_the_last_complete_file(voc, in_process):
    def killed_after_the_first(function, items, **_):
        function(items[0])
        raise KeyboardInterrupt

    stage = shard(voc.root, images_per_shard=1)
    with pytest.raises(KeyboardInterrupt):
        stage.run(in_process(stage, mapper=killed_after_the_first))
    (voc.root / "JPEGImages/a.jpg").write_bytes(b"not read again")
    stage.run(ctx := in_process(stage))
    assert [row.image_id for row in ShardSet(ctx.out.path)] == ["a", "b"]
    assert ctx.out.read_json("report.json")["list"] == []


def test_a_damaged_file_of_a_killed_sharding_is_written_again(voc, in_process):
    pieces = []

    def kept(function, items, **_):
        pieces.extend(items)
        return [function(item) for item in items]

    stage = shard(voc.root)
    stage.run(ctx := in_process(stage, mapper=kept))
    (piece,) = pieces
    whole = write_piece(piece)
    ctx.work.write_bytes(piece.name, b"half")
    assert write_piece(piece) == whole
    assert ctx.work.read_bytes(piece.name) == ctx.out.read_bytes(piece.name)


def test_a_data_set_in_the_result_of_a_stage_is_read_from_there(voc, in_process):
    upstream = shard("/nowhere", name="stands for a stage that wrote the folder")
    stage = Shard(sources=(VocFolder(name="pets", split="train", within=upstream),))
    assert stage.external_digest() == ""
    stage.run(ctx := in_process(stage, inputs={upstream: Folder(str(voc.root))}))
    assert ctx.out.read_json("shards.json")["images"] == 2


def test_the_code_of_the_reader_is_part_of_the_key_and_that_of_other_readers_is_not(voc):
    code = code_of(describe(shard(voc.root)).classes)
    assert {"stages.datasets.voc", "stages.datasets.xml.voc_xml", "stages.shards.image_row"} <= set(code)
    assert "stages.datasets.coco.coco_folder" not in code


def test_two_sources_with_the_same_name_and_split_are_refused(voc):
    twice = VocFolder(name="pets", split="train", root=str(voc.root))
    with pytest.raises(PipelineError, match="two sources are called pets/train"):
        Shard(sources=(twice, twice))


def test_the_readable_report_accounts_for_the_defects(voc, run):
    voc.annotation("a", ("cat", 5, 5, 5, 9))
    shards, _ = run(shard(voc.root))
    text = Folder(shards.path).read_bytes("report.md").decode()
    assert "| boxes | 2 | 1 | 1 |" in text
    assert "Annotations/a.xml, object 0: zero area (cat: 5, 5, 5, 9)" in text


def test_the_blood_cells_are_complete_except_for_two_boxes_of_zero_area(real_data, run):
    # SOURCE.txt of the data: 364 images, 4,888 boxes (RBC 4155, WBC 372, Platelets 361), two boxes of zero area
    root = str(real_data("bccd"))
    stage = Shard(sources=tuple(VocFolder(name="bccd", split=split, root=root) for split in ("train", "val", "test")))
    shards, report = run(stage)
    assert (len(shards), report["boxes_annotated"], report["boxes_written"]) == (364, 4888, 4886)
    assert shards.manifest["objects_per_class"] == {"Platelets": 361, "RBC": 4153, "WBC": 372}
    assert report["defects"] == {"zero area": 2}
    assert {entry["file"] for entry in report["list"]} == {
        "Annotations/BloodImage_00338.xml",
        "Annotations/BloodImage_00343.xml",
    }


def test_fruit_with_sizes_of_zero_and_png_named_jpg_is_read_completely(real_data, run):
    # SOURCE.txt of the data: 71 images, 114 boxes, 30 XML with size 0x0, 30 PNG files named .jpg
    root = str(real_data("messy/fruit"))
    stage = Shard(sources=tuple(VocFolder(name="fruit", split=split, root=root) for split in ("train", "test")))
    shards, report = run(stage)
    assert (len(shards), report["boxes_written"]) == (71, 114)
    assert shards.classes == ("apple", "banana", "orange")
    # Pillow's modes of its 71 files: 19 RGBA, 4 P, 48 RGB; three of the palettes have a transparent colour
    assert report["defects"] == {
        "wrong size in annotation": 30,
        "extension of another format": 30,
        "transparency, dropped when decoded": 22,
        "palette, 8-bit RGB when decoded": 4,
    }


def test_an_image_annotated_in_exif_rotated_coordinates_is_left_out_and_others_are_only_noted(voc, run):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn: shown 80 wide and 100 high
    for image_id in "ab":
        Image.new("RGB", (100, 80)).save(voc.root / f"JPEGImages/{image_id}.jpg", exif=exif)
    voc.annotation("b", ("dog", 1, 1, 9, 9), ("dog", 2, 2, 9, 9), size=(80, 100))
    shards, report = run(shard(voc.root))
    assert [row.image_id for row in shards] == ["a"]
    assert report["defects"] == {"annotated in EXIF-rotated coordinates": 1, "EXIF orientation, not applied": 1}
    assert report["boxes_of_left_out_images"] == 2


def test_objects_of_equal_class_and_box_are_kept_and_reported(voc, run):
    voc.annotation("a", ("cat", 1, 1, 9, 9), ("cat", 1, 1, 9, 9), ("dog", 1, 1, 9, 9))
    shards, report = run(shard(voc.root))
    assert len(shards.row(0).labels) == 3
    (defect,) = report["list"]
    assert (defect["kind"], defect["object"]) == ("object annotated twice", 1)


def test_the_manifest_counts_objects_images_and_flags_of_each_class(voc, run):
    voc.annotation("a", ("cat", 1, 1, 9, 9), ("cat", 2, 2, 9, 9), difficult=True)
    shards, _ = run(shard(voc.root, images_per_shard=1))
    assert shards.manifest["per_class"] == {
        "cat": {"objects": 2, "images": 1, "difficult": 2, "crowd": 0},
        "dog": {"objects": 1, "images": 1, "difficult": 0, "crowd": 0},
    }


def test_other_readers_of_parquet_see_the_same_rows(voc, run):
    voc.annotation("a", ("cat", 10, 20, 50, 60), ("dog", 1, 1, 100, 80))
    shards, _ = run(shard(voc.root))
    file = f"{shards.path}/images-00000.parquet"
    frame = pandas.read_parquet(file)
    table = pq.read_table(file)
    assert list(frame["image_id"]) == table.column("image_id").to_pylist() == ["a", "b"]
    assert frame["image"][0] == (voc.root / "JPEGImages/a.jpg").read_bytes()
    assert (
        [list(box) for box in frame["boxes"][0]]
        == table.column("boxes")[0].as_py()
        == [[10, 20, 50, 60], [1, 1, 100, 80]]
    )


def test_ray_data_reads_the_shards(voc, run, ray_session):
    import ray.data

    shards, _ = run(shard(voc.root))
    rows = ray.data.read_parquet(f"{shards.path}/images-00000.parquet").take_all()
    assert [row["image_id"] for row in rows] == ["a", "b"]
    np.testing.assert_array_equal(np.stack(rows[0]["boxes"]), [[10, 20, 50, 60]])


KILLED = """
import sys
from pipeline.folder import Folder
from pipeline.execution.run_stage import StageContext
from stages.shards.shard import Shard
from stages.datasets.voc import VocFolder

def slowly(function, items, **_):
    import time
    done = []
    for item in items:
        done.append(function(item))
        print("done", flush=True)
        time.sleep(1000 if len(done) == 2 else 0)

stage = Shard(sources=(VocFolder(name="bccd", split="test", root=sys.argv[1]),), images_per_shard=16)
place = Folder(sys.argv[2])
stage.run(StageContext(key="key", stage=stage, inputs={}, out=place / "out", work=place / "work", mapper=slowly))
"""


def test_a_sharding_killed_without_warning_ends_with_the_bytes_of_an_undisturbed_one(real_data, in_process, tmp_path):
    root = str(real_data("bccd"))
    stage = Shard(sources=(VocFolder(name="bccd", split="test", root=root),), images_per_shard=16)
    stage.run(undisturbed := in_process(stage, "undisturbed"))
    killed = in_process(stage, "killed")
    command = [sys.executable, "-c", KILLED, root, killed.out.uri.removesuffix("/out")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert [process.stdout.readline() for _ in range(2)] == [b"done\n"] * 2
    process.kill()
    process.wait()
    kept = {name: (Path(killed.work.path) / name).stat().st_mtime_ns for name in killed.work.files()}
    assert len(kept) == 4  # two shards and their accounts
    stage.run(killed)
    assert killed.out.files() == undisturbed.out.files()
    assert all(killed.out.read_bytes(name) == undisturbed.out.read_bytes(name) for name in killed.out.files())
    moved = {name for name in kept if name.endswith(".parquet")}
    assert all((Path(killed.out.path) / name).stat().st_mtime_ns == kept[name] for name in moved)


def test_the_annotations_of_all_of_voc2007_have_the_official_counts(real_data):
    """12,608 and 12,032 objects are not difficult; the classes of figure 3 are counted as in the paper's analysis."""
    archive = real_data("voc2007_eval") / "VOC2007_annotations_all9963.tar.xz"
    with tarfile.open(archive) as packed:
        files = {member.name: packed.extractfile(member).read() for member in packed if member.isfile()}
    counts = {}
    for split, images in (("trainval", 5011), ("test", 4952)):
        ids = files[f"VOC2007/ImageSets/Main/{split}.txt"].decode().split()
        assert len(ids) == images
        objects = [item for name in ids for item in parse(files[f"VOC2007/Annotations/{name}.xml"]).objects]
        counts[split] = Counter(item.name for item in objects if not item.difficult)
    assert (counts["trainval"].total(), counts["test"].total()) == (12608, 12032)
    groups = {
        "animals": ("bird", "cat", "cow", "dog", "horse", "sheep"),
        "vehicles": ("aeroplane", "bicycle", "boat", "bus", "car", "motorbike", "train"),
        "furniture": ("chair", "diningtable", "sofa"),
    }
    # figure 3 scales each group to the mean number of objects of its classes
    means = {name: round(sum(counts["test"][item] for item in items) / len(items)) for name, items in groups.items()}
    assert means == {"animals": 357, "vehicles": 415, "furniture": 400}
