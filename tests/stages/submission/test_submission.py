"""Archives for the servers of VOC2012 and COCO test-dev: their layout, their lines, and refusals."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import PipelineError
from ssd_core.metrics.voc_ap import ScoredBoxes
from ssd_core.spec.vocabularies import COCO_CLASSES, VOC_CLASSES
from stages.datasets.voc import VocFolder
from stages.detection.table import SCHEMA
from stages.submission.archive import archive, check_coco, check_voc, coco_results, voc_archive
from stages.submission.benchmarks import CLASSES
from stages.submission.input import from_files
from stages.submission.submitted import Submitted

if TYPE_CHECKING:
    from tests.stages.conftest import WrittenVoc

MAIN = "results/VOC2012/Main/comp4_det_test_{}.txt"


def submitted(classes: tuple[str, ...] = VOC_CLASSES, image_ids: tuple[str, ...] = ("2008_000001", "7")) -> Submitted:
    """Images of 100x80; one detection of class 3 that exceeds the image on all sides, one of class 0 inside."""
    return Submitted(
        image_ids=image_ids,
        sizes=((100, 80),) * len(image_ids),
        classes=classes,
        detections=ScoredBoxes(
            images=np.array([1, 0]),
            labels=np.array([3, 0]),
            scores=np.array([0.25, 0.987654321]),
            boxes_xyxy=np.array([[-5, -5, 110, 90], [10.126, 20, 30, 40.5]], np.float64),
        ),
    )


def files_of(content: bytes) -> dict[str, str]:
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        return {name: tar.extractfile(name).read().decode() for name in tar.getnames()}


def test_a_voc2012_archive_holds_one_file_per_class_with_boxes_clipped_from_pixel_one():
    files = files_of(archive(submitted(), "voc2012", proxy=True))
    assert sorted(files) == sorted(MAIN.format(name) for name in VOC_CLASSES)
    assert files.pop(MAIN.format("aeroplane")) == "2008_000001 0.987654 10.13 20.00 30.00 40.50\n"
    assert files.pop(MAIN.format("boat")) == "7 0.250000 1.00 1.00 100.00 80.00\n"
    assert set(files.values()) == {""}


def test_labels_follow_the_class_list_of_the_detector():
    """Reversed, label 0 is tvmonitor."""
    files = files_of(archive(submitted(VOC_CLASSES[::-1]), "voc2012", proxy=True))
    assert files[MAIN.format("tvmonitor")].startswith("2008_000001 ")
    assert files[MAIN.format("aeroplane")] == ""


def test_equal_detections_give_equal_bytes():
    assert archive(submitted(), "voc2012", proxy=True) == archive(submitted(), "voc2012", proxy=True)


def test_a_coco_archive_holds_official_category_ids_and_boxes_as_corner_and_size():
    content = archive(submitted(COCO_CLASSES, ("42", "7")), "coco-testdev", proxy=True)
    with zipfile.ZipFile(io.BytesIO(content)) as zipped:
        (name,) = zipped.namelist()
        entries = json.loads(zipped.read(name))
    assert name == "detections_test-dev2015_ssdpipe_results.json"
    assert entries == [
        {"image_id": 7, "category_id": 4, "bbox": [0.0, 0.0, 100.0, 80.0], "score": 0.25},
        {"image_id": 42, "category_id": 1, "bbox": [10.13, 20.0, 19.87, 20.5], "score": 0.987654},
    ]


def test_the_last_coco_class_has_category_90():
    detections = replace(submitted().detections, labels=np.array([79, 11]))
    entries = coco_results(replace(submitted(COCO_CLASSES, ("42", "7")), detections=detections))
    assert [entry["category_id"] for entry in entries] == [90, 13]


@pytest.mark.parametrize(
    ("benchmark", "classes", "number"),
    [("voc2012", VOC_CLASSES, "10,991"), ("coco-testdev", COCO_CLASSES, "20,288")],
)
def test_a_number_of_images_other_than_the_benchmark_s_is_refused_except_for_a_proxy(benchmark, classes, number):
    given = submitted(classes, ("42", "7"))
    with pytest.raises(PipelineError, match=f"scores exactly {number} images, but there are 2"):
        archive(given, benchmark)
    assert archive(given, benchmark, proxy=True)


def test_the_official_number_of_images_is_accepted():
    assert archive(submitted(image_ids=tuple(f"2008_{number:06d}" for number in range(10_991))), "voc2012")


def test_other_classes_are_refused():
    with pytest.raises(PipelineError, match=r"voc2012 has the 20 classes .* the detections have 80"):
        archive(submitted(COCO_CLASSES), "voc2012", proxy=True)


def test_image_ids_of_coco_are_numbers():
    with pytest.raises(PipelineError, match="1 here are not, such as '2008_000001'"):
        archive(submitted(COCO_CLASSES), "coco-testdev", proxy=True)


def test_reading_back_detects_a_missing_file_and_an_unlisted_image():
    content = voc_archive(submitted())
    assert check_voc(content, ["2008_000001", "7"]) == 2
    with pytest.raises(PipelineError, match="not a detection on a listed image"):
        check_voc(content, ["7"])
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo(MAIN.format("cat")))
    with pytest.raises(PipelineError, match="needs the 20 files"):
        check_voc(packed.getvalue(), ["7"])


def test_reading_back_detects_a_wrong_file_name():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as zipped:
        zipped.writestr("results.json", "[]")
    with pytest.raises(PipelineError, match=r"needs the one file detections_test-dev2015_ssdpipe_results\.json"):
        check_coco(packed.getvalue())


@pytest.fixture
def source(voc: WrittenVoc) -> VocFolder:
    return VocFolder(name="two", root=str(voc.root), split="train", annotated=False)


ROW: dict[str, Any] = {
    "image_id": "b", "label": 7, "score": 0.5, "xmin": 10.0, "ymin": 20.0, "xmax": 30.0, "ymax": 40.0,
}  # fmt: skip


def test_text_files_a_table_and_a_result_list_give_the_same_archive(source: VocFolder, tmp_path: Path) -> None:
    folder = tmp_path / "found"
    folder.mkdir()
    for name in VOC_CLASSES:
        (folder / f"det_{name}.txt").write_text("b 0.5 10 20 30 40\n" if name == "cat" else "")
    table, results = tmp_path / "detections.parquet", tmp_path / "results.json"
    pq.write_table(pa.Table.from_pylist([ROW], schema=SCHEMA), table)
    results.write_text(json.dumps([{"image_id": "b", "category_id": 7, "bbox": [10, 20, 20, 20], "score": 0.5}]))
    contents = {
        archive(from_files(place, source, CLASSES["voc2012"]), "voc2012", proxy=True)
        for place in (folder, table, results)
    }
    (content,) = contents
    assert files_of(content)[MAIN.format("cat")] == "b 0.500000 10.00 20.00 30.00 40.00\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_id": "z"}, "1 of 1 detections .* are on images that split 'train' does not list"),
        ({"label": 20}, "labels from 20 to 20, but the 20 classes are numbered from 0 to 19"),
    ],
)
def test_a_table_with_other_images_or_classes_is_refused(
    source: VocFolder, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    table = tmp_path / "detections.parquet"
    pq.write_table(pa.Table.from_pylist([ROW | change], schema=SCHEMA), table)
    with pytest.raises(PipelineError, match=message):
        from_files(table, source, CLASSES["voc2012"])


def test_missing_detections_and_missing_images_are_named(source: VocFolder, voc: WrittenVoc, tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="there is no file or folder"):
        from_files(tmp_path / "none", source, CLASSES["voc2012"])
    (voc.root / "JPEGImages/b.jpg").unlink()
    with pytest.raises(PipelineError, match="no file for image b, which 'train' lists"):
        from_files(tmp_path / "none", source, CLASSES["voc2012"])
