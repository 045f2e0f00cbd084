"""A whole training by the command, on two images; nearly all of its minutes are Ray's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.experiments.cli.conftest import write_cat

if TYPE_CHECKING:
    from tests.experiments.cli.conftest import Project

TRAIN = ("train", "ssd-tiny", "-s", "schedule.iterations=3", "-s", "batch_size=2", "--gpus", "0")


def ssdpipe(project: Project, *arguments: str, store: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from experiments.cli.main import main; main()", *arguments]
    environment = os.environ | {"SSDPIPE_STORE": str(store or project.store)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.slow
def test_a_training_is_cached_and_its_weights_file_scores_the_same(project: Project, tmp_path: Path) -> None:
    data = ("--data", str(project.data))
    write_cat(project.data, "a", xmin=-5)
    first = ssdpipe(project, *TRAIN, *data)
    assert first.stdout.startswith("class  AP % (voc07)\ncat")
    again = ssdpipe(project, *TRAIN, *data)
    assert (again.stdout, again.stderr) == (first.stdout, "all 6 stages are cached\n")
    (defects,) = (line for line in first.stdout.splitlines() if line.startswith("defects"))
    assert defects.startswith("defects of shard/cats-train: box crosses the image border: 1; places: ")
    assert Path(defects.rpartition(": ")[2]).read_text(encoding="utf-8").startswith("# Images and defects")
    weights = next(line.split()[1] for line in first.stdout.splitlines() if line.startswith("weights:"))
    alone = ssdpipe(project, *TRAIN, *data, "--in-process", store=tmp_path / "in-process").stdout
    (trained,) = (line.split()[1] for line in alone.splitlines() if line.startswith("weights:"))
    assert Path(trained).read_bytes() == Path(weights).read_bytes(), "the same bits in process"
    assert Path(trained).parts[-3] == Path(weights).parts[-3], "and the key"
    pictures = Path(next(line.split()[1] for line in first.stdout.splitlines() if line.startswith("pictures:")))
    assert (pictures / "right-and-wrong.jpg").read_bytes().startswith(b"\xff\xd8")
    scored = json.loads(ssdpipe(project, "evaluate", "weights", weights, *data, "--json").stdout)
    assert f"mAP    {100 * scored['mAP']:.1f}" in first.stdout
    assert "train/ssd-tiny/seed0 is cached" in ssdpipe(project, "why", "train/ssd-tiny/seed0").stdout
