"""The graph of Table 3 on photographs, run to completion: a check of the plumbing, not of SSD's accuracy."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.ablation_layers import TILINGS

COMMAND = [sys.executable, "-c", "from experiments.cli.main import main; main()"]
SETTINGS = ("schedule.iterations=4", "schedule.drops=3", "schedule.warmup=1")


def part_of_voc2007(place: Path, whole: Path, *, train: int, test: int) -> Path:
    """A data set that lists the first images of both splits of the real one."""
    lists = place / "ImageSets/Main"
    lists.mkdir(parents=True)
    for name in ("Annotations", "JPEGImages"):
        (place / name).symlink_to(whole / name)
    for split, count in (("trainval", train), ("test", test)):
        ids = (whole / f"ImageSets/Main/{split}.txt").read_text().splitlines()[:count]
        (lists / f"{split}.txt").write_text("\n".join(ids) + "\n")
    return place


@pytest.mark.slow
def test_six_trainings_on_part_of_voc2007_yield_a_table_of_six_rows(
    tmp_path: Path, real_data: Callable[[str], Path]
) -> None:
    data = part_of_voc2007(tmp_path / "part", real_data("voc2007") / "VOC2007", train=120, test=60)
    arguments = ["run", "ablation-layers", "--preset", "tiny", "--column", "yes", "--data", str(data), "--no-mlflow"]
    for setting in SETTINGS:
        arguments += ["-s", setting]
    environment = os.environ | {"SSDPIPE_STORE": str(tmp_path / "store")}
    ran = subprocess.run([*COMMAND, *arguments], env=environment, capture_output=True, text=True, timeout=1200)
    assert ran.returncode == 0, ran.stderr
    rows = [line for line in ran.stdout.splitlines() if line.startswith("conv") and " yes " in line]
    assert len(rows) == len(TILINGS) == 6
    assert "not run" not in ran.stdout
    assert "Preset tiny" in ran.stdout
