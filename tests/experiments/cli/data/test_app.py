"""`ssdpipe data link` and `ssdpipe data show`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from experiments.cli.data.get import Progress
from experiments.cli.main import app
from ssd_core.data.images import decode_rgb


def data(*arguments: object, **environment: str) -> Result:
    return CliRunner().invoke(app, ["data", *map(str, arguments)], env=environment, catch_exceptions=True)


def test_a_linked_data_set_is_available_at_once(real_data: Callable[[str], Path], tmp_path: Path) -> None:
    done = data("link", "voc2007", real_data("voc2007"), SSDPIPE_DATA=str(tmp_path))
    assert done.exit_code == 0
    assert "trainval: 5,008 images (the published split has 5,011)" in done.stdout
    assert (tmp_path / "VOCdevkit/VOC2007/JPEGImages").is_dir()


def test_show_writes_figures_and_a_self_contained_page(project, tmp_path: Path) -> None:
    done = data("show", project.data, "--out", tmp_path / "shown", "--spec", "ssd-tiny")
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "cats train: 1 images, 1 objects of 1 classes"
    # the cat has 50 x 50 of 100 x 80 pixels: 65 x 81 at an input of 130, which squares of 58 and 80 reach
    assert "default boxes of ssd-tiny: 0 of 1 objects (0.0 %)" in lines[2]
    page = (tmp_path / "shown/index.html").read_text()
    assert page.count("data:image/png;base64,") == 4
    assert not re.search(r'(src|href)="(?!data:)', page)
    for name in ("sheet", "classes", "shapes", "reach"):
        png = np.frombuffer((tmp_path / f"shown/{name}.png").read_bytes(), np.uint8)
        assert cv2.imdecode(png, cv2.IMREAD_COLOR).std() > 5  # something is drawn


def test_the_page_also_shows_the_images_as_trained_on_request(project, tmp_path: Path) -> None:
    options = (
        "--out",
        tmp_path / "shown",
        "--spec",
        "ssd-tiny",
        "--as-trained",
        "-s",
        "augmentation.photometric=false",
    )
    done = data("show", project.data, *options)
    assert done.exit_code == 0, done.exception
    assert "data:image/jpeg;base64," in (tmp_path / "shown/index.html").read_text(encoding="utf-8")
    assert decode_rgb((tmp_path / "shown/as-trained.jpg").read_bytes()).std() > 5


def test_show_draws_images_without_objects_too(project, tmp_path: Path) -> None:
    for annotation in (project.data / "Annotations").glob("*.xml"):
        annotation.write_text("<annotation><size><width>100</width><height>80</height></size></annotation>")
    done = data("show", project.data, "--out", tmp_path / "shown", "--spec", "ssd-tiny")
    assert done.exit_code == 0, done.exception
    assert done.stdout.startswith("cats train: 1 images, 0 objects of 0 classes, 1 images without objects\n")
    assert (tmp_path / "shown/classes.png").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "nowhere"), "nowhere"),
        (("show", "DATA", "--split", "trian"), "'train'"),
        (("show", "DATA", "--spec", "ssd30"), "ssd300"),
        (("show", "DATA", "-s", "augmentation.crp=false"), "crop"),
        (("link", "voc2007", "DATA"), "does not hold voc2007"),
        (("link", "voc1999", "DATA"), "voc2012"),
        (("download", "voc1999"), "coco2017"),
    ],
)
def test_a_mistake_is_reported_and_writes_nothing(
    project, tmp_path: Path, monkeypatch, arguments, message: str
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    done = data(*(project.data if part == "DATA" else part for part in arguments))
    assert message in str(done.exception)
    assert list((tmp_path / "empty").iterdir()) == []


def test_progress_reports_bytes_speed_and_the_time_left(capsys, monkeypatch) -> None:
    clock = iter((100.0, 105.0, 110.0, 130.0))
    monkeypatch.setattr("experiments.cli.data.get.time.monotonic", lambda: next(clock))
    progress = Progress()
    for done in (100_000_000, 150_000_000, 250_000_000, 400_000_000):  # resumed at 100 MB
        progress("download a.tar", done, 400_000_000)
    # nothing within 15 seconds of the last line; at the end 300 MB in 30 s
    assert capsys.readouterr().err.splitlines() == ["download a.tar: 400.0 MB of 400.0 MB, 10.0 MB/s"]


def test_a_running_download_reports_the_time_left(capsys, monkeypatch) -> None:
    clock = iter((0.0, 20.0))
    monkeypatch.setattr("experiments.cli.data.get.time.monotonic", lambda: next(clock))
    progress = Progress()
    progress("download a.tar", 0, 400_000_000)
    progress("download a.tar", 100_000_000, 400_000_000)
    assert capsys.readouterr().err == "download a.tar: 100.0 MB of 400.0 MB, 5.0 MB/s, 1:00 left\n"
