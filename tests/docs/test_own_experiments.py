"""Experiments in docs/own-experiments.md can be planned, and its custom backbone trains on real workers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

DOC = Path(__file__).parents[2] / "docs/own-experiments.md"
PIPELINE = DOC.with_name("pipeline.md")


@pytest.fixture
def shown(tmp_path: Path) -> Callable[[str], Path]:
    """Write the code block of an experiment to a folder outside the project, with an existing data set."""
    data = tmp_path / "cells"
    _write_data(data)

    def write(name: str) -> Path:
        blocks = re.findall(r"```python\n(.*?)```", DOC.read_text(), flags=re.DOTALL)
        (block,) = (block for block in blocks if f'name="{name}"' in block)
        path = tmp_path / f"{name.replace('-', '_')}.py"
        path.write_text(block.replace("/data/cells", str(data)))
        return path

    return write


def ssdpipe(*arguments: str, where: Path) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SSDPIPE_", "RAY_", "MLFLOW_"))}
    kept["SSDPIPE_CACHE"] = "off"
    kept["OMP_NUM_THREADS"] = "1"
    command = [sys.executable, "-c", "from experiments.cli.main import main; main()", *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=where,
        timeout=600,
        env=kept | {"OMP_NUM_THREADS": "1"},
    )


def test_the_experiment_on_your_own_data_is_planned(shown: Callable[[str], Path]) -> None:
    path = shown("blood-cells")
    done = ssdpipe("plan", f"./{path.name}", "--preset", "narrow", where=path.parent)
    assert done.returncode == 0, done.stderr
    states = {line.split()[0]: line.split()[1] for line in done.stdout.splitlines() if "/" in line.split()[0]}
    assert states["shard/cells-train"] == "run"
    assert {"train/ssd300-voc0712/seed0", "train/squares-only/seed0", "table/blood-cells"} <= set(states)


def test_your_own_stage_is_planned_beside_the_table(shown: Callable[[str], Path]) -> None:
    path = shown("longer")
    (block,) = re.findall(r"```python\n([^`]*class CountObjects.*?)```", PIPELINE.read_text(), flags=re.DOTALL)
    (path.parent / "count_objects.py").write_text(block)
    done = ssdpipe("plan", f"./{path.name}", "--preset", "tiny", where=path.parent)
    assert done.returncode == 0, done.stderr
    assert {"countobjects", "train/twice-as-long/seed0", "table/longer"} <= set(done.stdout.split())


def test_each_setting_in_the_document_can_be_set(shown: Callable[[str], Path]) -> None:
    path = shown("blood-cells")
    commands = re.findall(r"^    ssdpipe run \./blood_cells\.py -s .*$", DOC.read_text(), flags=re.MULTILINE)
    settings = re.findall(r" -s (\S+)", "\n".join(commands))
    assert len(settings) == 4
    given = [word for setting in settings for word in ("-s", setting)]
    done = ssdpipe("plan", f"./{path.name}", "--preset", "full", *given, where=path.parent)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_your_own_backbone_is_trained_tested_and_compared_and_its_edits_are_reported(
    shown: Callable[[str], Path],
) -> None:
    path = shown("shallow")
    short = ("-s", "schedule.drops=", "-s", "schedule.warmup=0", "-s", "schedule.iterations=2")
    command_line = ("./shallow.py", "--preset", "tiny", *short)
    done = ssdpipe("run", *command_line, "--no-mlflow", where=path.parent)
    assert done.returncode == 0, done.stderr
    assert "three convolutions" in done.stdout
    (manifest,) = (
        found
        for found in map(json.loads, (file.read_text() for file in path.parent.glob("ssdpipe-store/keys/*.json")))
        if found["address"] == "train/shallow/seed0"
    )
    assert "Shallow.parts" in manifest["ingredients"]["code"]["shallow"]
    assert "all 11 stages are cached" in ssdpipe("run", *command_line, where=path.parent).stderr
    _edit_all_but_the_backbone(path)
    again = ssdpipe("run", *command_line, "--no-mlflow", where=path.parent)
    assert again.returncode == 0, again.stderr
    assert "Is less enough?" in again.stdout
    assert "three layers" in again.stdout
    started = set(re.findall(r"\] (\S+)  started", again.stderr))
    assert {name for name in started if name.startswith("train/")} == {"train/gentle/seed0"}
    assert not any("/shallow/" in name for name in started)
    assert "] train/shallow/seed0  cached" in again.stderr
    elsewhere = path.parent / "elsewhere"
    elsewhere.mkdir()
    path.write_text(path.read_text().replace("halving(3), halving", "halving(3),  halving"))
    question = ("why", "train/shallow/seed0", "../shallow.py", "--store", str(path.parent / "ssdpipe-store"))
    same = ssdpipe(*question, where=elsewhere)
    assert "cached" in same.stdout, same.stdout + same.stderr
    path.write_text(path.read_text().replace("stride=2, norm_groups", "stride=2, padding=1, norm_groups"))
    edited = ssdpipe(*question, where=elsewhere)
    assert "shallow: Shallow.parts changed" in edited.stdout, edited.stdout + edited.stderr


def _edit_all_but_the_backbone(path: Path) -> None:
    """Edit the question, the label of the row with the backbone, and what the other row trains."""
    text = path.read_text(encoding="utf-8")
    for before, after in (
        ('question="Is a shallow network enough for blood cells?"', 'question="Is less enough?"'),
        ('label="three convolutions"', 'label="three layers"'),
        ("run=BASE, published", 'run=BASE.varied("gentle", gentle), published'),
        (
            "experiment = Experiment(",
            "def gentle(recipe):\n    return replace(recipe, momentum=0.5)\n\n\nexperiment = Experiment(",
        ),
    ):
        assert text.count(before) == 1
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")


def _write_data(folder: Path) -> None:
    """Write four images of 100x80 pixels, each with one cell, in VOC layout."""
    for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / name).mkdir(parents=True)
    for split, image_ids in (("train", "abc"), ("test", "d")):
        (folder / f"ImageSets/Main/{split}.txt").write_text("\n".join(image_ids) + "\n")
        for image_id in image_ids:
            noise = np.random.default_rng(ord(image_id)).integers(0, 256, (80, 100, 3), np.uint8)
            cv2.imwrite(str(folder / f"JPEGImages/{image_id}.jpg"), noise)
            (folder / f"Annotations/{image_id}.xml").write_text(
                "<annotation><size><width>100</width><height>80</height></size><object><name>cell</name>"
                "<bndbox><xmin>10</xmin><ymin>20</ymin><xmax>60</xmax><ymax>70</ymax></bndbox></object></annotation>"
            )
