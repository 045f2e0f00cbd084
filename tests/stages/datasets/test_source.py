"""Cached surveys equal new ones in every layout, and are never used after the files have changed."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from pipeline.errors import PipelineError
from pipeline.external import stamp
from pipeline.external.survey_cache import cache_folder
from pipeline.keys.code_digest import code_of
from stages.datasets.coco import coco_folder as coco
from stages.datasets.csv_files import csv_boxes
from stages.datasets.find import find_data_set
from stages.datasets.source import Source, Survey
from stages.datasets.voc import VocFolder
from stages.datasets.xml import xml_source
from stages.datasets.yolo import yolo_folder as yolo
from stages.shards.shard import Shard

XML = """<annotation><object><name>{}</name><bndbox>
<xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>5</ymax>
</bndbox></object></annotation>"""


def _write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def _coco(name: str) -> str:
    images = [{"id": number, "file_name": f"{number}.jpg", "width": 9, "height": 9} for number in (1, 2)]
    boxes = [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 4, 4]}]
    return json.dumps({"images": images, "annotations": boxes, "categories": [{"id": 1, "name": name}]})


LAYOUTS = {
    "voc": ({"ImageSets/Main/train.txt": "a\n", "JPEGImages/a.jpg": "x"}, "Annotations/a.xml", XML.format),
    "coco": ({"train/1.jpg": "x", "train/2.jpg": "y"}, "annotations/train.json", _coco),
    "ilsvrc": (
        {"ImageSets/DET/train.txt": "n1/a 1\n", "Data/DET/train/n1/a.JPEG": "x"},
        "Annotations/DET/train/n1/a.xml",
        XML.format,
    ),
    "csv": (
        {"images/a.jpg": "x"},
        "train.csv",
        "image,xmin,ymin,xmax,ymax,class\na.jpg,1,1,5,5,{}\n".format,
    ),
    "yolo": (
        {"images/train/a.jpg": "x", "labels/train/a.txt": "0 .5 .5 .2 .2"},
        "data.yaml",
        "train: images/train\nnames: [{}]\n".format,
    ),
}
READERS = {"voc": xml_source, "coco": coco, "ilsvrc": xml_source, "csv": csv_boxes, "yolo": yolo}
TEXTS = {"voc": "parse", "coco": "parse_coco", "ilsvrc": "parse", "csv": "_read", "yolo": "parse_labels"}
"""Functions that read an annotation file, by layout."""


@pytest.fixture(params=LAYOUTS)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    files, annotations, text = LAYOUTS[request.param]
    folder = _write(tmp_path / "set", {**files, annotations: text("cat")})
    return find_data_set(str(folder)).source("train")


def layout(source: Source) -> str:
    return find_data_set(source.root).layout


def annotate(source: Source, name: str) -> None:
    _, annotations, text = LAYOUTS[layout(source)]
    _write(Path(source.root), {annotations: text(name)})


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the files had been written long ago; their times of change cannot be set back."""
    monkeypatch.setattr(stamp, "RACY_NS", 0)


def cut_off(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every further attempt to read an annotation fail."""

    def refuse(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(READERS[layout(source)], TEXTS[layout(source)], refuse)


@pytest.mark.usefixtures("settled")
def test_a_second_survey_reads_no_annotation_and_is_equal(source: Source, monkeypatch) -> None:
    first = source.survey()
    cut_off(source, monkeypatch)
    assert source.survey() == first == Survey(**vars(first) | {"objects_per_class": {"cat": 1}, "ids": list(first.ids)})
    (listed,) = Shard(sources=(source,)).listed_images()  # the ids are cached as well
    assert [listed.digest(each) for each in listed.files()], "and which file each image is"
    with pytest.raises(AssertionError, match="read again"):
        source.surveyed(source.located())


@pytest.mark.usefixtures("settled")
def test_a_changed_annotation_is_noticed_even_with_the_same_size_and_time(source: Source) -> None:
    before = source.survey()
    _, annotations, _ = LAYOUTS[layout(source)]
    file = Path(source.root) / annotations
    times = file.stat()
    time.sleep(0.02)  # beyond the tick of the file system's clock
    annotate(source, "dog")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    after = source.survey()
    assert after.objects_per_class == {"dog": 1}
    assert after.digest != before.digest


@pytest.mark.usefixtures("settled")
def test_an_image_of_another_size_is_noticed(source: Source) -> None:
    before = source.survey()
    image = next(file for file in Path(source.root).rglob("*") if file.suffix in (".jpg", ".JPEG"))
    image.write_text("xx")
    assert source.survey().digest != before.digest


@pytest.mark.usefixtures("settled")
def test_an_error_is_not_cached(source: Source) -> None:
    images = {file: file.read_text() for file in Path(source.root).rglob("*") if file.suffix in (".jpg", ".JPEG")}
    for file in images:
        file.unlink()
    with pytest.raises(PipelineError, match=r"none of|no image"):
        source.survey()
    for file, content in images.items():
        file.write_text(content)
    assert source.survey().objects_per_class == {"cat": 1}


def test_recently_written_files_are_surveyed_again(source: Source) -> None:
    source.survey()
    folder = cache_folder()
    assert folder
    assert not list(folder.iterdir())


def test_the_cache_is_not_part_of_any_key() -> None:
    assert not [module for module in code_of([Shard, VocFolder]) if "external" in module]
