"""`ssdpipe new experiment`: the draft can be planned unchanged."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from experiments.cli.main import app
from experiments.cli.requests import ExperimentRequest
from experiments.framework.drafting import write_draft
from experiments.framework.loading import load_experiment
from experiments.framework.presets import Preset
from pipeline.errors import PipelineError
from pipeline.planning.graph import Graph
from stages.training.train import Train


def test_the_draft_is_written_to_the_current_folder_and_planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    done = CliRunner().invoke(app, ["new", "experiment", "drafted-here"])
    assert done.exit_code == 0
    assert "ssdpipe plan ./drafted_here.py --preset tiny" in done.stdout
    planned = CliRunner().invoke(app, ["plan", "./drafted_here.py", "--preset", "tiny", "--store", "store"])
    assert planned.exit_code == 0
    assert "table/drafted-here" in planned.stdout
    assert ExperimentRequest(experiment="./drafted_here.py").name == "drafted-here"  # in MLflow and of its report
    table = load_experiment(str(tmp_path / "drafted_here.py")).table(Preset(name="tiny"))
    trainings = [node.stage for node in Graph([table]).nodes.values() if isinstance(node.stage, Train)]
    boxes = [training.recipe.spec.box_count for training in trainings]
    assert boxes == [1866, 1866 - 17 * 17 * 2 - (9 * 9 + 5 * 5 + 3 * 3) * 4 - (2 * 2 + 1) * 2]


def test_a_draft_never_replaces_a_file(tmp_path: Path) -> None:
    path = write_draft("mine", tmp_path)
    path.write_text("kept")
    with pytest.raises(PipelineError, match=r"mine\.py already exists"):
        write_draft("mine.py", tmp_path)
    assert path.read_text() == "kept"


def test_a_name_that_python_cannot_import_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="is not a module name"):
        write_draft("2 of them", tmp_path)


def test_a_file_without_an_experiment_is_refused_with_the_command_that_writes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "no_experiment_here.py").write_text("x = 1\n")
    with pytest.raises(PipelineError, match="`ssdpipe new experiment NAME` writes a template"):
        load_experiment(str(tmp_path / "no_experiment_here.py"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("random", "'random' is also the name of a module of Python"),
        ("stages", "'stages' is also the name of "),
        ("ablation_layers", "'ablation-layers' already names experiments"),
        ("table3", "'table3' already names experiments"),
        ("all", "'all' already names experiments"),
    ],
)
def test_a_name_that_is_taken_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["new", "experiment", name])
    assert isinstance(done.exception, PipelineError)
    assert str(done.exception).startswith(reason)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("typed", ["my_idea", "my-idea"])
def test_a_file_named_without_its_path_is_refused_with_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["new", "experiment", "my-idea"]).exit_code == 0
    done = CliRunner().invoke(app, ["plan", typed, "--preset", "tiny"])
    assert isinstance(done.exception, PipelineError)
    assert str(done.exception).endswith("type its path: ./my_idea.py")


def test_the_table_of_a_question_that_is_not_in_the_paper_has_the_question_as_its_title(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert CliRunner().invoke(app, ["new", "experiment", "titled-here"]).exit_code == 0
    options = ["./titled_here.py", "--preset", "tiny", "--store", "store"]
    compared = CliRunner().invoke(app, ["compare", *options])
    assert compared.stdout.startswith("Do oblong default boxes help?\n")
    page = Path(CliRunner().invoke(app, ["report", *options]).stdout.split()[0]).read_text(encoding="utf-8")
    assert "<title>Do oblong default boxes help?</title>" in page
