"""The page about your own data: its commands run in their order, at a tiny size; the rest is planned or parsed."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from experiments.cli.main import app
from experiments.cli.requests import TrainRequest
from pipeline.driver.in_process import run_in_process
from pipeline.planning.graph import Graph
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.weights import Weights, save_weights
from stages.datasets.find import find_data_set
from stages.datasets.source import discover_classes
from stages.drawn.draw import Draw
from stages.placement import Placement
from stages.shards.image_row import read_image
from stages.shards.shard import Shard
from tests.docs.test_commands import commands

PAGE = Path(__file__).parents[2] / "docs/own-data.md"
SHOWN = commands(PAGE, "ssdpipe")
PICTURES = 40


@pytest.fixture(autouse=True)
def pets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder holds pets/boxes.csv and pets/images, of drawn pictures."""
    drawn = Path(run_in_process(Draw(train=PICTURES, test=0), str(tmp_path / "drawings")).path)
    shutil.copytree(drawn / "JPEGImages", tmp_path / "pets/images")
    source = find_data_set(str(drawn), "voc").source("train")
    classes = discover_classes([source])
    with (tmp_path / "pets/boxes.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "xmin", "ymin", "xmax", "ymax", "class"])
        for image in source.listing(source.located()).images:
            row = read_image(image, classes).row
            assert row is not None
            for label, box in zip(row.labels, row.boxes_xyxy.tolist(), strict=True):
                writer.writerow([Path(image.image_file).name, *box, classes[label]])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SSDPIPE_STORE", str(tmp_path / "store"))
    return tmp_path


def shown(*beginning: str) -> list[list[str]]:
    found = [words for words in SHOWN if words[: len(beginning)] == list(beginning)]
    assert found, f"the page shows no ssdpipe {' '.join(beginning)}"
    return found


def request_of(words: list[str]) -> TrainRequest:
    """What a command line of `train` requests."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    command = group.commands["train"]
    given = command.make_context("train", words).params
    return TrainRequest(**{item.name: given[item.name] for item in fields(TrainRequest)})


def test_the_page_shows_the_commands_that_are_tested_here() -> None:
    assert {tuple(words[:2]) if words[0] in ("data", "evaluate") else (words[0],) for words in SHOWN} == {
        *(("data", "check"), ("data", "show"), ("data", "convert"), ("evaluate", "weights")),
        *(("train",), ("detect",), ("ui",), ("weights",)),
    }


def test_the_data_is_checked_shown_and_converted(pets: Path) -> None:
    for words in (*shown("data", "check"), *shown("data", "show"), *shown("data", "convert")):
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, f"{words}: {done.output}{done.exception}"
    assert (pets / "figures/index.html").is_file()
    assert find_data_set(str(pets / "pets-yolo")).splits == find_data_set(str(pets / "pets-coco")).splits[::-1]


@pytest.mark.parametrize("words", shown("train"), ids=" ".join)
def test_the_trainings_are_planned_with_the_classes_of_the_file(pets: Path, words: list[str]) -> None:
    spec = ssd_tiny(("cat",))
    with (pets / "ssd300_VOC0712.pth").open("wb") as stream:
        save_weights(Weights(spec=spec, state=initial_detector(spec, 0).state_dict()), stream)
    request = request_of(words[1:])
    graph = Graph(request.targets(Placement()))
    sets = [node.stage for node in graph.nodes.values() if isinstance(node.stage, Shard)]
    classes = discover_classes([find_data_set("pets/boxes.csv").source("boxes")])
    assert {name for each in sets for name in each.classes} <= set(classes)
    sizes = [len(each.sources[0].survey().ids) for each in sets]
    assert sum(sizes) == PICTURES
    assert 2 <= min(sizes) <= PICTURES // 2 - 2


@pytest.mark.slow
def test_the_tutorial_runs_from_the_folder_to_the_page(pets: Path) -> None:
    (train, *_), (detect,), (evaluate,) = shown("train"), shown("detect"), shown("evaluate")
    small = ["-s", "schedule.iterations=3", "-s", "schedule.drops=2", "-s", "batch_size=2", "-s", "schedule.warmup=0"]
    trained = ssdpipe(*train, *small)
    (weights,) = re.findall(r"^weights: (.+)$", trained, flags=re.MULTILINE)
    shutil.copy(weights, pets / "pets.pt")
    ssdpipe(*detect, "--min-score", "0.01")
    assert (pets / "found/index.html").is_file()
    scored = ssdpipe(*evaluate)
    assert scored.splitlines()[0].split() == ["class", "AP", "%", "(voc07)"]
    refused = started("evaluate", "weights", weights, "--data", "pets/boxes.csv")  # all images, trained ones included
    assert refused.returncode == 2
    assert "which is trained on" in refused.stderr


def ssdpipe(*words: str) -> str:
    done = started(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def started(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from experiments.cli.main import main; main()", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
