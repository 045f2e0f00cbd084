"""Settings on the command line are checked before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from experiments.cli.main import app
from pipeline.errors import PipelineError

COMMANDS = {
    "train": ("train", "ssd-tiny", "--gpus", "0"),
    "plan": ("plan", "ablation-layers", "--preset", "tiny"),
    "run": ("run", "ablation-layers", "--preset", "tiny", "--gpus", "0"),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("spec.norm_groups=7", "such as the 8 of conv1_1: take a divisor of 8, or 0 for no GroupNorm"),
        ("spec.norm_groups=-1", "norm_groups must be at least 0, but is -1"),
        ("spec.extras.conv9_2.squeeze=30", "such as the 30 of conv9_2 (squeeze): take a divisor of 2"),
    ],
)
def test_a_detector_that_cannot_be_built_is_refused_before_anything_starts(
    tmp_path: Path, command: str, setting: str, reason: str
) -> None:
    store = tmp_path / "store"
    done = CliRunner().invoke(app, [*COMMANDS[command], "-s", setting, "--store", str(store)])
    assert isinstance(done.exception, PipelineError)
    assert done.exception.exit_code == 2
    assert str(done.exception).startswith(f"{setting}: ")
    assert reason in str(done.exception)
    assert not store.exists()
