"""Selection of the detections shown in pictures, and their kinds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.folder import Folder
from ssd_core.data.images import decode_rgb
from ssd_core.data.shards import ShardSet
from stages.analysis.detection_pictures import CROPS, MISSED, PICKED, SHEET, Choice, pick_from_shards
from stages.analysis.draw_detections import DrawDetections
from stages.datasets.voc import VocFolder
from stages.detection.detect import Detect
from stages.detection.table import DETECTIONS, SCHEMA
from stages.figures.detections import Crop, Shown, crops_figure, detections_figure, window
from stages.shards.shard import Shard

BOX = (10.0, 20.0, 50.0, 60.0)
"""Box of the cat in image `a` and of the dog in image `b`, see the fixture."""

ELSEWHERE = (70.0, 2.0, 90.0, 15.0)
CAT, DOG = 0, 1


@pytest.fixture
def shards(voc, in_process) -> Callable[[], tuple[Shard, Folder]]:
    """Build shards from the current content of the folder."""

    def make() -> tuple[Shard, Folder]:
        stage = Shard(sources=(VocFolder(name="own", root=str(voc.root), split="train"),))
        context = in_process(stage, "shards")
        stage.run(context)
        return stage, context.out

    return make


@pytest.fixture
def pictures(shards, tmp_path: Path):
    """The document of what is picked from detections (image id, label, score, box) of the two images."""

    def run(*found: tuple[str, int, float, tuple[float, ...]], **options: Any) -> dict[str, Any]:
        stage, folder = shards()
        written = write(Folder(str(tmp_path / "found")), *found)
        shown = DrawDetections(detections=stage, shards=stage, **options)
        names = [member.name for member in fields(Choice) if member.default is MISSING]
        choice = Choice(**{name: getattr(shown, name) for name in names})
        return pick_from_shards(choice, written, folder).document()

    return run


def write(place: Folder, *found: tuple[str, int, float, tuple[float, ...]]) -> Folder:
    rows = [(image, label, score, *box) for image, label, score, box in found]
    columns = list(zip(*rows, strict=True)) or [()] * len(SCHEMA)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)]
    with place.open_output(DETECTIONS) as stream:
        pq.write_table(pa.Table.from_arrays(arrays, schema=SCHEMA), stream)
    return place


def kinds(picked: dict[str, Any]) -> dict[str, list[tuple[str, str, float | None]]]:
    return {
        kind: [(item["image_id"], item["class"], item["score"] and round(item["score"], 2)) for item in items]
        for kind, items in picked["cuttings"].items()
    }


def test_each_detection_is_shown_under_its_kind(pictures):
    shifted = (30.0, 20.0, 70.0, 60.0)  # overlap 21 * 41 / (2 * 41 * 41 - 21 * 41) = 0.34
    picked = pictures(("a", CAT, 0.9, BOX), ("a", DOG, 0.8, BOX), ("b", CAT, 0.7, ELSEWHERE), ("b", DOG, 0.6, shifted))
    assert kinds(picked) == {
        "right": [("a", "cat", 0.9)],
        "wrong place or duplicate": [("b", "dog", 0.6)],
        "wrong class": [("a", "dog", 0.8)],
        "background": [("b", "cat", 0.7)],
        MISSED: [("b", "dog", None)],
    }


def test_similar_classes_have_their_own_row_only_if_some_are_named(pictures):
    wrong = ("a", DOG, 0.8, BOX)
    assert kinds(pictures(wrong))["wrong class"] == [("a", "dog", 0.8)]
    similar = kinds(pictures(wrong, similar=(("cat", "dog"),)))
    assert similar["similar class"] == [("a", "dog", 0.8)]
    assert "wrong class" not in similar


def test_kinds_without_any_detection_have_no_row(pictures):
    assert list(pictures(("a", CAT, 0.9, BOX), ("b", DOG, 0.8, BOX))["cuttings"]) == ["right"]


def test_highest_scores_come_first_with_no_two_from_one_image(pictures):
    picked = pictures(
        ("a", CAT, 0.3, ELSEWHERE), ("a", CAT, 0.7, ELSEWHERE), ("b", DOG, 0.5, ELSEWHERE), ("b", CAT, 0.9, ELSEWHERE)
    )
    assert kinds(picked)["background"] == [("b", "cat", 0.9), ("a", "cat", 0.7)]
    fewer = pictures(("a", CAT, 0.3, ELSEWHERE), ("b", CAT, 0.2, ELSEWHERE), columns=1)
    assert kinds(fewer)["background"] == [("a", "cat", 0.3)]


def test_the_sheet_shows_images_with_a_detection_above_the_score(pictures):
    picked = pictures(("a", CAT, 0.6, BOX), ("b", DOG, 0.61, BOX), min_score=0.6)
    assert picked["images"] == ["b"]  # 0.6 itself is not above, also as float32


def test_a_detector_without_detections_has_pictures_of_the_missed_objects(pictures):
    picked = pictures()
    assert picked["images"] == []
    assert [item["image_id"] for item in picked["cuttings"][MISSED]] == ["a", "b"]


@pytest.mark.parametrize(
    ("found", "expected"), [((("a", CAT, 0.9, BOX),), {SHEET, CROPS}), ((), {CROPS})], ids=("one", "none")
)
def test_the_stage_writes_the_pictures_that_show_something_and_a_list(shards, tmp_path, in_process, found, expected):
    stage, folder = shards()
    written = write(Folder(str(tmp_path / "found")), *found)
    detections = Detect(weights=stage, shards=stage)
    drawing = DrawDetections(detections=detections, shards=stage, columns=1)
    context = in_process(drawing, "pictures", {stage: folder, detections: written})
    drawing.run(context)
    assert set(context.out.files()) == {*expected, PICKED}
    assert set(drawing.artifacts()) == {SHEET, CROPS}
    for name in expected:
        assert min(decode_rgb(context.out.read_bytes(name)).shape[:2]) > 100


def test_difficult_objects_are_not_missed(pictures, voc):
    voc.annotation("a", ("cat", *BOX), difficult=True)
    assert kinds(pictures()) == {MISSED: [("b", "dog", None)]}


def test_labels_read_as_in_the_paper_with_one_colour_per_class(drawn):
    rows = ShardSet(drawn.folders[drawn.test].path)
    shown = Shown(
        row=rows.row(0),
        labels=np.array([1, 1, 2]),
        scores=np.array([0.972, 0.7, 0.8]),
        boxes_xyxy=np.array([[5, 5, 30, 30], [20, 20, 40, 40], [1, 1, 9, 9]], float),
    )
    axes = detections_figure([shown], rows.classes).axes[0]
    one, two = rows.classes[1], rows.classes[2]
    assert [text.get_text() for text in axes.texts] == [f"{one}: 0.70", f"{two}: 0.80", f"{one}: 0.97"]
    colours = [patch.get_edgecolor() for patch in axes.patches]
    assert colours[0] == colours[2] != colours[1]


def test_a_wrong_class_is_titled_with_the_object_s_and_a_missed_object_without_a_score(shards):
    _, folder = shards()
    row = ShardSet(folder.path).row(0)
    crop = Crop(row=row, box_xyxy=np.array(BOX), label=DOG, score=0.8, true_label=CAT)
    kinds = {"wrong class": [crop], MISSED: [replace(crop, score=None, true_label=None)]}
    figure = crops_figure(kinds, ("cat", "dog"))
    assert [axes.get_title() for axes in figure.axes] == ["cat as dog: 0.80", "dog"]
    assert [axes.get_ylabel() for axes in figure.axes] == ["wrong class", "missed"]


def test_a_label_that_would_leave_the_image_is_aligned_to_the_right(shards):
    row = ShardSet(shards()[1].path).row(0)
    shown = Shown(row=row, labels=np.array([0]), scores=np.array([0.9]), boxes_xyxy=np.array([[90.0, 5, 130, 30]]))
    (text,) = detections_figure([shown], ("cat", "dog")).axes[0].texts
    assert (text.get_ha(), text.get_position()[0]) == ("right", row.width)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((40, 40, 60, 60), (28, 28, 72, 72)),  # 20 wide, with a margin of 0.6 of it on each side: 50 - 22
        ((0, 40, 20, 60), (0, 28, 44, 72)),  # shifted to the right, width unchanged
        ((80, 80, 100, 100), (56, 56, 100, 100)),
        ((0, 0, 100, 100), (0, 0, 100, 100)),  # limited to the image
    ],
)
def test_a_crop_lies_inside_the_image(box, expected):
    assert window(np.array(box, float), 100, 100) == expected
