"""The command as a subprocess: speed, exit codes, messages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "ray", "mlflow", "numpy", "pyarrow", "cv2")
HELP = f"""
import sys
from experiments.cli.main import app
try:
    app(["--help"])
finally:
    sys.stderr.write(",".join(name for name in {HEAVY} if name in sys.modules))
"""


def ssdpipe(*arguments: str, where: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a subprocess, in a given folder, without the tester's environment variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SSDPIPE_", "RAY_", "MLFLOW_"))}
    kept["SSDPIPE_CACHE"] = "off"
    command = [sys.executable, "-c", "from experiments.cli.main import main; main()", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=where, env=kept | environment, timeout=120
    )


def test_help_imports_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert "evaluate" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "ablation-layer"), "ablation-layers"),
        (("train", "ssd300-voc0721"), "ssd300-voc0712"),
        (("train",), "SSDPIPE_DATA"),
        (("train", "ssd-tiny", "-s", "schedule.base_lrate=1"), "'base_lr'"),
        (("train", "ssd-tiny", "-s", "batch_size=many"), "expected a whole number"),
        (
            ("train", "ssd-tiny", "-s", "schedule.base_lr=-0.001"),
            "base_lr must be a number of at least 0, but is -0.001",
        ),
        (("train", "ssd-tiny", "-s", "momentum=1"), "momentum must be at least 0 and below 1, but is 1"),
        (("train", "ssd300-voc07", "-s", "spec.extras.0.stride=0"), "nothing can be computed with this value"),
        (("train", "ssd-tiny", "-s", "weight_decay=-1"), "weight_decay must be a number of at least 0, but is -1"),
        (("train", "ssd-tiny", "--data", "nowhere"), "nowhere"),
        (("train", "ssd-tiny", "--train-split", "train"), "--data"),
        (("train", "ssd-tiny", "--gpus", "8"), "--gpus 0"),
        (("train", "ssd-tiny", "--init", "nothing.pt"), "nothing.pt"),
        (("evaluate", "weights", "nothing.pt", "--data", "."), "nothing.pt"),
        (("evaluate", "detections", "nowhere", "--annotations", "nowhere"), "nowhere"),
        (("show", "train/a"), "no result"),
        (("why", "train/a"), "has no run yet: name the experiment of the stage: `ssdpipe why train/a EXPERIMENT`"),
        (("compare",), "no run yet"),
        (("compare", "--preset", "tiny"), "need an experiment: name it"),
        (("plan",), "no experiment is named: `ssdpipe list`"),
        (("run",), "no experiment is named: `ssdpipe list`"),
        (("run", "--preset", "tiny"), "no experiment is named: `ssdpipe list`"),
        (("report",), "`ssdpipe list`"),
        (("sync",), "`ssdpipe list`"),
        (("show",), "no stage is named"),
        (("why",), "`ssdpipe list`"),
        (("ui",), "nothing is recorded"),
        (("recipe", "show", "ssd-tyny"), "ssd-tiny"),
        (("plan", "ablation-layers", "--preset", "tny"), "there is no preset 'tny'; did you mean 'tiny'?"),
        (("evaluate", "weights", "a.pt", "--protocol", "voc21"), "there is no protocol 'voc21'; did you mean 'voc12'"),
        (("plan", "tabel3"), "did you mean 'table3'"),
        (("run", "ssd200-narrow"), "but a recipe of that name: `ssdpipe train ssd200-narrow`"),
    ],
)
def test_a_mistake_ends_with_one_message_and_exit_code_2_and_writes_nothing(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = ssdpipe(*arguments, where=tmp_path, CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_store_and_published_data_are_below_the_current_folder_by_default(tmp_path: Path) -> None:
    assert f"in the store {tmp_path}/ssdpipe-store" in ssdpipe("show", "train/a", where=tmp_path).stderr
    assert f"there is no folder {tmp_path}/data\n" in ssdpipe("train", "--gpus", "0", where=tmp_path).stderr
    elsewhere = ssdpipe("train", "--gpus", "0", where=tmp_path, SSDPIPE_DATA=str(tmp_path / "elsewhere"))
    assert f"there is no folder {tmp_path}/elsewhere\n" in elsewhere.stderr


def test_a_store_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "format.json").write_text(json.dumps({"format": 99}))
    done = ssdpipe("show", "train/a", where=tmp_path, SSDPIPE_STORE=str(tmp_path))
    assert (done.returncode, "format 99" in done.stderr) == (2, True)
