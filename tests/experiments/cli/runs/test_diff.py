"""`ssdpipe diff` on a store with three short trainings and two tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from typer.testing import CliRunner

from experiments.cli.main import app
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from tests.experiments.conftest import Compared

Diff = Callable[..., str]


@pytest.fixture
def diff(compared: Compared) -> Diff:
    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["diff", *arguments, "--store", compared.place])
        if isinstance(done.exception, PipelineError):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def document(diff: Diff, *arguments: str) -> Any:
    return json.loads(diff(*arguments, "--json"))


def test_two_trainings_differ_in_settings_by_the_names_of_s_and_in_numbers_with_intervals(
    diff: Diff, compared: Compared
) -> None:
    shown = document(diff, compared.key("train/all/seed0")[:12], "train/squares")
    assert [(each["name"], each["before"], each["after"]) for each in shown["settings"]][:3] == [
        ("momentum", "0.9", "0.25"),
        ("spec.sources.conv4_3.scales.0.ratios", "(2)", "()"),
        ("spec.sources.conv7.scales.0.ratios", "(2, 3)", "()"),
    ]
    assert shown["functions"] == shown["data"] == []
    main = next(each for each in shown["numbers"] if each["name"] == "voc07/mAP")
    assert main["difference"] == main["after"] - main["before"]
    assert main["interval"][0] <= main["difference"] <= main["interval"][1]


def test_the_text_has_a_section_for_each_kind_of_difference(diff: Diff, compared: Compared) -> None:
    lines = diff(compared.key("train/all/seed0"), "train/squares/seed0").splitlines()
    assert lines[0].startswith("before  train/all/seed0 (")
    assert "  spec.sources.conv4_3.scales.0.ratios: (2) → ()" in lines
    assert {"settings", "functions: the same", "data: the same", "numbers"} <= set(lines)


def test_one_name_compares_the_newest_result_with_the_one_before(diff: Diff, compared: Compared) -> None:
    shown = document(diff, "train/all")
    assert [each["name"] for each in shown["settings"]] == ["schedule.base_lr"]
    assert {"name": "torch", "before": "run-1", "after": "run-2"} in shown["environment"]
    with pytest.raises(PipelineError, match="one result of train/squares/seed0"):
        diff("train/squares")


def test_tables_are_compared_cell_by_cell_by_name_of_the_experiment(diff: Diff) -> None:
    shown = document(diff, "shapes")
    assert "schedule.base_lr" in [each["name"] for each in shown["settings"]]
    (number,) = shown["numbers"]
    assert number["name"] == "all: voc07/mAP"
    assert number["interval"] is not None


def test_runs_are_compared_stage_by_stage(diff: Diff) -> None:
    shown = document(diff, "run-1", "run-2")
    assert "train/squares/seed0: only in run-1" in shown["stages"]
    rate = next(each for each in shown["settings"] if each["name"] == "schedule.base_lr")
    assert rate["stages"] == ["train/all/seed0"]


def test_files_of_weights_differ_in_specification_and_tensors(diff: Diff, compared: Compared, tmp_path: Path) -> None:
    (first,) = Path(compared.place).glob(f"objects/{compared.key('train/all/seed0')}/*/weights.pt")
    content = torch.load(first, weights_only=True)
    name = next(name for name in content["state"] if name.startswith("heads."))
    content["state"][name] += 0.5
    torch.save(content, tmp_path / "moved.pt")
    shown = document(diff, str(first), str(tmp_path / "moved.pt"))
    assert shown["settings"] == []
    assert [(each["name"], round(each["largest"], 4)) for each in shown["tensors"]] == [(name, 0.5)]
    assert shown["equal"] == len(content["state"]) - 1
    assert "spec.sources.conv4_3.scales.0.ratios: 2 → " in diff(str(first), "train/squares")
    assert "settings: the same" in diff(str(first), str(first))


def test_a_name_that_nothing_has_is_answered_with_the_nearest(diff: Diff) -> None:
    with pytest.raises(PipelineError, match="did you mean"):
        diff("train/squars/seed0", "train/all/seed0")
