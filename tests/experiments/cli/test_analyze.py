"""`ssdpipe analyze` on detection files written here."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from experiments.cli.main import app
from pipeline.errors import PipelineError


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
    header, line = result.output.splitlines()[:2]
    assert header.split() == ["group", "objects", "Cor", "Loc", "Sim", "Oth", "BG", "recall", "at", "IoU", "0.1"]
    assert line.split() == ["all", "2", "50.0", "0.0", "0.0", "50.0", "0.0", "25.0", "25.0"]
    assert {file.suffix for file in (tmp_path / "out").iterdir()} == {".json", ".png", ".svg"}
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
