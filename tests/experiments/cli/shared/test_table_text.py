"""The table of an experiment on a terminal of 80 columns."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from experiments.cli.main import app


@pytest.mark.parametrize("experiment", ["ablation-layers", "voc2007", "small-object-augmentation"])
def test_the_table_fits_80_columns_and_loses_no_word(tmp_path: Path, experiment: str) -> None:
    command = ["compare", experiment, "--preset", "tiny", "--store", str(tmp_path)]
    wide = CliRunner().invoke(app, command).stdout
    narrow = CliRunner().invoke(app, command, env={"COLUMNS": "80"}).stdout
    assert max(map(len, wide.splitlines())) > 80
    assert max(map(len, narrow.splitlines())) <= 80
    assert sorted(narrow.replace("-", "").split()) == sorted(wide.replace("-", "").split())


def test_changed_settings_are_named_below_the_table(tmp_path: Path) -> None:
    command = ["compare", "ablation-box-shapes", "--preset", "tiny", "--store", str(tmp_path)]
    changed = ["-s", "schedule.iterations=60", "-s", "schedule.base_lr=1e-3"]
    lines = CliRunner().invoke(app, [*command, *changed], env={"COLUMNS": "80"}).stdout.splitlines()
    assert lines[-1] == "Settings changed: schedule.iterations=60, schedule.base_lr=1e-3."
    assert "Settings changed" not in CliRunner().invoke(app, command).stdout
