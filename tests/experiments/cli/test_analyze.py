"""`ssdpipe analyze` on detection files written here."""

from __future__ import annotations

import json
import re

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from experiments.cli.main import app
from pipeline.errors import PipelineError
from stages.analysis.pictured_files import image_files


@pytest.fixture
def written(tmp_path):
    """Two images with a ball and a cube each; in one the ball is detected, in the other the cube as a ball."""
    voc, found = tmp_path / "VOC", tmp_path / "found"
    for folder in (voc / "Annotations", voc / "ImageSets/Main", found):
        folder.mkdir(parents=True)
    (voc / "ImageSets/Main/test.txt").write_text("a\nb\n")
    objects = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{x}</xmin><ymin>1</ymin><xmax>{x + 9}</xmax><ymax>10</ymax></bndbox>"
        "</object>"
        for name, x in (("ball", 1), ("cube", 31))
    )
    for image in "ab":
        (voc / f"Annotations/{image}.xml").write_text(f"<annotation>{objects}</annotation>")
    (found / "det_ball.txt").write_text("a 0.9 1 1 10 10\nb 0.8 31 1 40 10\n")
    (found / "det_cube.txt").write_text("")
    return found, voc


def call(written, tmp_path, *options):
    found, voc = written
    arguments = ["analyze", str(found), "--annotations", str(voc), "--out", str(tmp_path / "out"), *options]
    return CliRunner().invoke(app, arguments)


def test_it_prints_a_table_and_writes_numbers_and_figures(written, tmp_path):
    result = call(written, tmp_path)
    assert result.exit_code == 0, result.output
    header, line, unit = result.output.splitlines()[:3]
    assert header.split() == ["group", "objects", "Cor", "Loc", "Sim", "Oth", "BG", "recall", "at", "IoU", "0.1"]
    assert line.split() == ["all", "2", "50.0", "0.0", "0.0", "50.0", "0.0", "25.0", "25.0"]
    assert unit == "Cor to BG: % of the best detections, as many as a class has objects on average"
    files = {file.name for file in (tmp_path / "out").iterdir()}
    assert {name.rpartition(".")[2] for name in files} == {"html", "json", "png", "svg"}
    assert f"analysis.html shows all of it, from {len(files) - 1} files beside it\n" in result.output
    assert max(map(len, result.output.splitlines()[:-1])) <= 80
    assert json.loads((tmp_path / "out/analysis.json").read_text())["exact"] is True


def test_groups_and_similar_classes_of_your_own_data_are_options(written, tmp_path):
    result = call(written, tmp_path, "--group", "toys=ball,cube", "--similar", "ball,cube", "--hoiem-fixed")
    assert result.output.splitlines()[1].split()[:6] == ["toys", "2", "50.0", "0.0", "50.0", "0.0"]
    assert json.loads((tmp_path / "out/analysis.json").read_text())["exact"] is False


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [("--similar", "ball,cub", "did you mean 'cube'"), ("--group", "ball,cube", "NAME=CLASS")],
)
def test_an_unknown_class_is_answered_with_the_nearest(written, tmp_path, option, value, message):
    result = call(written, tmp_path, option, value)
    assert result.exit_code != 0
    assert message in str(result.exception)


def test_a_file_in_place_of_a_folder_is_refused_by_name(written, tmp_path):
    found, voc = written
    annotations = call((found, voc / "ImageSets/Main/test.txt"), tmp_path)
    assert isinstance(annotations.exception, PipelineError)
    assert "test.txt is a file: name the folder that contains Annotations and ImageSets" in str(annotations.exception)
    detections = call((found / "det_ball.txt", voc), tmp_path)
    assert "det_ball.txt is a file: name the folder of the files <name>_<class>.txt" in str(detections.exception)


def test_the_folder_inside_an_unpacked_archive_is_named(written, tmp_path):
    found, voc = written
    (tmp_path / "unpacked").mkdir()
    found = found.rename(tmp_path / "unpacked/found")
    refused = call((tmp_path / "unpacked", voc), tmp_path)
    assert f"there is no .txt, but {found} has some" in str(refused.exception)


def test_it_prints_what_each_error_costs_and_which_annotations_are_probably_wrong(written, tmp_path):
    lines = call(written, tmp_path).output.splitlines()
    assert [line.split() for line in lines[4:6]] == [["TIDE", "number", "AP", "lost"], ["Cls", "1", "25.2"]]
    assert "of AP 25.2 at IoU 0.5" in lines
    assert "calibration error (ECE): 45.0 (all detections), 45.0 (scores from 0.3)" in lines
    assert ["b", "class", "cube", "ball", "0.80"] in [line.split() for line in lines]


def test_the_page_explains_each_kind_of_error_by_its_colour_and_lists_the_suspects(written, tmp_path):
    call(written, tmp_path)
    page = (tmp_path / "out/analysis.html").read_text()
    assert page.count("<img ") == 6
    for name in ("Cor", "Loc", "Sim", "Oth", "BG", "Cls", "Both", "Dupe", "Bkg", "Miss"):
        assert f'"></span><b>{name}</b>' in page
    assert "<td>cube</td><td>ball</td><td>0.80</td>" in page
    linked = re.findall(r'<a href="([^":]+)">', page)
    assert len(linked) == 6
    assert all((tmp_path / "out" / name).is_file() for name in linked)


def test_json_is_the_whole_analysis_at_the_iou_and_writes_no_folder(written, tmp_path):
    found, voc = written
    result = CliRunner().invoke(app, ["analyze", str(found), "--annotations", str(voc), "--iou", "0.8", "--json"])
    document = json.loads(result.stdout)
    assert (document["iou"], document["tide"]["errors"]["Cls"]["count"]) == (0.8, 1)
    assert not (tmp_path / "out").exists()
    assert call(written, tmp_path, "--json").exit_code == 0
    assert json.loads((tmp_path / "out/analysis.json").read_text())["iou"] == 0.5


def test_coco_s_files_are_analysed(tmp_path):
    results, annotations = tmp_path / "results.json", tmp_path / "instances.json"
    results.write_text(json.dumps([{"image_id": 7, "category_id": 18, "bbox": [10, 20, 50, 40], "score": 0.9}]))
    content = {
        "images": [{"id": 7}],
        "categories": [{"id": 17, "name": "cat"}, {"id": 18, "name": "dog"}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 17, "bbox": [10, 20, 50, 40], "area": 2000}],
    }
    annotations.write_text(json.dumps(content))
    result = CliRunner().invoke(app, ["analyze", str(results), "--annotations", str(annotations), "--json"])
    document = json.loads(result.stdout)
    assert document["groups"]["animals"]["classes"] == ["cat"]
    assert document["suspects"][0] == {
        "image": "7",
        "fault": "class",
        "annotated": "cat",
        "detected": "dog",
        "suspicion": 0.9,
        "box": [10, 20, 60, 60],
    }


def test_where_the_images_are_it_draws_what_is_right_and_wrong(written, tmp_path):
    images = written[1] / "JPEGImages"
    images.mkdir()
    cv2.imwrite(str(images / "b.jpg"), np.full((40, 60, 3), 128, np.uint8))
    result = call(written, tmp_path)
    assert result.exit_code == 0, result.exception
    assert f"note: pictures show 1 of 2 images, those in {images}\n" in result.stderr
    picked = json.loads((tmp_path / "out/picked.json").read_text())
    assert {kind: [item["image_id"] for item in items] for kind, items in picked["cuttings"].items()} == {
        "wrong class": ["b"],
        "missed": ["b"],
    }
    assert (tmp_path / "out/analysis.html").read_text(encoding="utf-8").count("data:image/jpeg;base64,") == 2
    missing = call(written, tmp_path, "--images", str(tmp_path / "nowhere"))
    assert "there is no folder" in str(missing.exception)


def test_pictures_judge_by_the_iou_of_the_analysis(written, tmp_path):
    images = written[1] / "JPEGImages"
    images.mkdir()
    cv2.imwrite(str(images / "a.jpg"), np.full((40, 60, 3), 128, np.uint8))
    (written[0] / "det_ball.txt").write_text("a 0.9 1 1 10 16\n")  # overlaps the ball by 100 / 160
    kinds = {}
    for iou in ("0.6", "0.65"):
        assert call(written, tmp_path, "--iou", iou).exit_code == 0
        kinds[iou] = set(json.loads((tmp_path / "out/picked.json").read_text())["cuttings"])
    assert kinds == {"0.6": {"right", "missed"}, "0.65": {"wrong place or duplicate", "missed"}}


@pytest.mark.parametrize("name", ["139.jpg", "000000000139.png", "deep/139.JPG"])
def test_an_image_has_the_name_of_its_id_or_coco_s_number(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"")
    assert image_files(tmp_path, ["139", "139.gif", "7"]) == [tmp_path / name, None, None]
