"""`ssdpipe data check` and `ssdpipe train` on CSV files as spreadsheets and people write them."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from experiments.cli.main import app
from experiments.cli.requests import TrainRequest
from pipeline.errors import PipelineError
from stages.placement import Placement
from stages.shards.shard import Shard

LINES = ("a.jpg, 10, 10, 60, 70, cat, train", "b.jpg, 10, 10, 60, 70, cat, test")


def ssdpipe(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def boxes(root: Path, header: str, *lines: str, name: str = "boxes.csv") -> Path:
    (root / "images").mkdir(exist_ok=True)
    for image in "ab":
        cv2.imwrite(str(root / f"images/{image}.jpg"), np.full((80, 100, 3), ord(image), np.uint8))
    (root / name).write_text("\n".join([header, *lines]), encoding="utf-8")
    return root


@pytest.mark.parametrize(
    "header",
    [
        "image,xmin,ymin,xmax,ymax,class,split",
        "image, xmin, ymin, xmax, ymax, class, split",
        "image ,xmin ,ymin ,xmax ,ymax ,class ,split ",
        "\ufeff image, xmin, ymin, xmax, ymax, class, split",
        "Image,XMin,YMin,XMax,YMax,Class,Split",
    ],
)
def test_blanks_case_and_a_byte_order_mark_in_the_header_lose_no_column(tmp_path: Path, header: str) -> None:
    root = boxes(tmp_path, header, *LINES)
    lines = ssdpipe("data", "check", str(root)).stdout.splitlines()
    assert lines[1:4] == ["split  images  objects", "test   1       1", "train  1       1"]
    assert "no defects" in lines
    evaluation = TrainRequest(recipe="ssd-tiny", data=str(root)).target(Placement())
    assert isinstance(evaluation.shards, Shard)
    assert evaluation.shards.sources[0].survey().ids == ["b.jpg"]


@pytest.mark.parametrize(
    ("header", "lines", "message"),
    [
        (
            "image,xmin,ymin,xmax,ymax,class,splits",
            LINES,
            "column 'splits' looks like a misspelling of 'split'",
        ),
        ("image,xmin,ymin,xmax,ymax,class,split,Split", LINES, "two columns are named 'split'"),
        (
            "image,xmin,ymin,xmax,ymax,class,split",
            (*LINES, "b.jpg,1,1,9,9,cat, "),
            "line 4: the column split is empty",
        ),
    ],
)
@pytest.mark.parametrize("command", [("data", "check"), ("train", "ssd-tiny", "--gpus", "0", "--data")])
def test_a_csv_that_would_merge_train_and_test_is_refused(
    tmp_path: Path, command: tuple[str, ...], header: str, lines: tuple[str, ...], message: str
) -> None:
    done = ssdpipe(*command, str(boxes(tmp_path, header, *lines)))
    assert isinstance(done.exception, PipelineError)
    assert message in str(done.exception)


def test_the_split_column_takes_precedence_over_the_name_of_a_single_file(tmp_path: Path) -> None:
    root = boxes(tmp_path, "image,xmin,ymin,xmax,ymax,class,split", *LINES, name="train.csv")
    lines = ssdpipe("data", "check", str(root)).stdout.splitlines()
    assert lines[1:4] == ["split  images  objects", "test   1       1", "train  1       1"]


def test_a_line_whose_split_contradicts_its_file_is_refused(tmp_path: Path) -> None:
    header = "image,xmin,ymin,xmax,ymax,class,split"
    boxes(tmp_path, header, *LINES, name="train.csv")
    done = ssdpipe("data", "check", str(boxes(tmp_path, header, LINES[1], name="test.csv")))
    assert "train.csv, line 3: column split is 'test' in the file of split 'train'" in str(done.exception)


def test_json_has_the_place_of_every_defect_and_strict_exits_with_2(tmp_path: Path) -> None:
    wrong = [f"a.jpg,{10 + number},10,{10 + number},70,cat" for number in range(7)]
    root = boxes(tmp_path, "image,xmin,ymin,xmax,ymax,class", "b.jpg,10,10,60,70,cat", *wrong, name="train.csv")
    done = ssdpipe("data", "check", str(root), "--json")
    assert done.exit_code == 0
    assert len([item for item in json.loads(done.stdout)["list"] if item["kind"] == "zero area"]) == 7
    assert "and 2 more, see --json" in ssdpipe("data", "check", str(root)).stdout
    assert ssdpipe("data", "check", str(root), "--strict").exit_code == 2
    assert "unknown class: 1, refused" in ssdpipe("data", "check", str(root), "--classes", "dog").stdout
