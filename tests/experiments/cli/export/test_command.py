"""`ssdpipe export`, typed as a user types it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from typer.testing import CliRunner, Result

from experiments.cli.main import app
from pipeline.driver.in_process import run_in_process
from pipeline.errors import PipelineError
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.weights import Weights, save_weights
from stages.drawn.draw import Draw
from stages.drawn.vocabulary import CLASSES
from stages.export.runtimes import Exported


def ssdpipe(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["export", *map(str, arguments)])


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder holds weights.pt, whose scores are as far apart as those of a trained detector."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SSDPIPE_DATA", raising=False)
    spec = ssd_tiny(CLASSES)
    state = initial_detector(spec, 0).state_dict()
    for name in state:
        if name.endswith("logits.weight"):
            state[name] *= 3
    with Path("weights.pt").open("wb") as stream:
        save_weights(Weights(spec=spec, state=state), stream)


@pytest.mark.parametrize(
    ("kind", "file"),
    [("torch-export", "weights.pt2"), ("torchscript", "weights.torchscript"), ("onnx", "weights.onnx")],
)
def test_the_check_prints_labels_scores_map_size_and_time(kind: str, file: str) -> None:
    done = ssdpipe("weights.pt", "--to", kind, "--check", "--images", 10, "--min-score", 0.1)
    assert done.exception is None, done.exception
    lines = done.stdout.splitlines()
    assert re.fullmatch(
        rf"{file}: images uint8 \(B, 3, 130, 130\) -> boxes, scores, labels, counts; \d\.\d MB", lines[0]
    )
    assert lines[1] == "on 10 drawn images"
    values = {line[:29].strip(): line[29:].strip() for line in lines[2:]}
    assert re.match(r"10 of 10 images(, \d of them but for ties)?$", values["same labels in the same order"])
    assert re.match(r"[\d,]+ of [\d,]+ detections$", values["same boxes"])
    assert max(map(len, lines[1:])) <= 80
    assert float(values["largest difference of scores"]) < 1e-4
    exported, own = re.fullmatch(r"(0\.\d{4}); ssdpipe (0\.\d{4})", values["mAP (voc07)"]).groups()
    assert exported == own != "0.0000"
    assert re.fullmatch(r"\d+\.\d; ssdpipe \d+\.\d", values["ms per image"])


def test_the_check_takes_the_first_images_of_the_users_data(tmp_path: Path) -> None:
    data = run_in_process(Draw(train=0, test=6), str(tmp_path / "store")).path
    done = ssdpipe("weights.pt", "--to", "torchscript", "--raw", "--check", "--data", data, "--images", 4)
    assert done.exception is None, done.exception
    assert "-> locations, logits, default_boxes; " in done.stdout
    assert re.search(r"^on 4 images of \S+ test$", done.stdout, flags=re.MULTILINE)


def test_the_check_takes_the_only_split_of_a_csv(tmp_path: Path) -> None:
    grey = cv2.imencode(".jpg", np.full((40, 60, 3), 90, np.uint8))[1]
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a.jpg").write_bytes(grey.tobytes())
    (tmp_path / "boxes.csv").write_text("image,xmin,ymin,xmax,ymax,class\na.jpg,1,1,30,30,disc\n")
    data = tmp_path / "boxes.csv"
    done = ssdpipe("weights.pt", "--to", "torchscript", "--raw", "--check", "--data", data)
    assert done.exception is None, done.exception
    assert re.search(r"^on 1 images of \S+ boxes$", done.stdout, flags=re.MULTILINE)


def test_limits_are_fixed_in_the_file() -> None:
    done = ssdpipe("weights.pt", "--to", "torchscript", "-o", "few.ts", "-s", "per_image=3", "--min-score", 0.2)
    assert done.exception is None
    exported = Exported(Path("few.ts"), "torchscript")
    outputs = exported(torch.randint(0, 256, (2, 3, 130, 130), dtype=torch.uint8))
    assert (outputs["labels"].shape, exported.description["limits"]["min_score"]) == ((2, 3), 0.2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.pt"], "there is no weights file nowhere.pt"),
        (["weights.pt", "--to", "onx"], "there is no format 'onx'"),
        (["weights.pt", "-o", "weights.pt"], "weights.pt already exists: name another file with -o, or remove it"),
        (["weights.pt", "-s", "max_ious=1"], "max_ious"),
        (["weights.pt", "--check", "--data", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_exported_is_refused_and_nothing_is_written(arguments: list[str], message: str) -> None:
    done = ssdpipe(*arguments)
    assert isinstance(done.exception, PipelineError), done.output
    assert message in str(done.exception)
    assert [file.name for file in Path().iterdir() if file.is_file()] == ["weights.pt"]


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_without_its_package_onnx_is_refused_with_the_extra_to_install(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    done = ssdpipe("weights.pt", "--to", "onnx")
    assert isinstance(done.exception, PipelineError)
    assert "pip install 'ssdpipe[export]'" in str(done.exception)
    assert not list(Path().glob("*.onnx*"))


def test_weights_of_the_store_name_the_file_by_their_address() -> None:
    from experiments.cli.export.command import _stem

    names = ("train/ssd200-narrow/seed0", "models:/name@best", "weights.pt")
    assert [_stem(name) for name in names] == ["train-ssd200-narrow-seed0", "models-name-best", "weights"]
