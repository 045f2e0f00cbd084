"""Resolution of names, and the graph of the whole paper."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import experiments
from experiments.ablation_layers import experiment as ablation
from experiments.cli.main import app
from experiments.framework.drafting import DRAFT
from experiments.framework.loading import load_experiment, members, named_setup
from experiments.framework.names import experiment_names
from experiments.framework.presets import Preset
from experiments.framework.runs import RUNS
from pipeline.errors import PipelineError
from pipeline.planning.graph import Graph
from stages.submission.submission import Submission
from stages.training.train import Train


def trainings(name: str, preset: Preset) -> list[Train]:
    targets = [stage for each in members(name) for stage in load_experiment(each).targets(preset)]
    return [node.stage for node in Graph(targets).nodes.values() if isinstance(node.stage, Train)]


def test_experiments_are_found_by_the_name_of_their_file() -> None:
    assert "ablation-layers" in experiment_names()
    assert load_experiment("ablation-layers") is ablation
    with pytest.raises(PipelineError, match="did you mean 'ablation-layers'"):
        load_experiment("ablation-layer")


def test_each_experiment_names_itself_as_its_file() -> None:
    assert [load_experiment(name).name for name in experiment_names()] == experiment_names()


@pytest.mark.parametrize("command", [("plan", "my-question"), ("list",)])
def test_a_file_whose_experiment_has_another_name_is_refused_with_both_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    draft = DRAFT.format(module="my_question", name="batch-size")
    (tmp_path / "my_question.py").write_text(draft)
    monkeypatch.setattr(experiments, "__path__", [*experiments.__path__, str(tmp_path)])
    done = CliRunner().invoke(app, command)
    sys.modules.pop("experiments.my_question")
    assert isinstance(done.exception, PipelineError)
    assert "experiments/my_question.py holds the experiment 'batch-size'" in str(done.exception)
    assert str(done.exception).endswith("'my-question'")


def test_a_recipe_is_the_training_of_the_run_of_its_name_under_the_same_address() -> None:
    recipe, row = named_setup("ssd300-voc0712").training(), Preset().setup(RUNS["ssd300-voc0712"]).training()
    assert (recipe, recipe.address) == (row, "train/ssd300-voc0712/seed0")


def test_each_table_has_its_alias() -> None:
    assert members("table1") == ("voc2007",)
    assert set(members("table2")) == {"ablation-atrous", "ablation-augmentation", "ablation-box-shapes"}
    assert members("table3") == ("ablation-layers",)
    assert members("table4") == ("voc2012",)
    assert members("table5") == ("coco",)
    assert members("table6") == ("small-object-augmentation",)
    assert members("table7") == ("inference-time",)


def test_all_is_every_experiment_that_answers_the_paper() -> None:
    every = set(members("all"))
    assert {name for number in range(1, 8) for name in members(f"table{number}")} < every
    assert {"error-analysis", "coco-detections", "ilsvrc", "architecture"} <= every
    assert "import-check" not in every


def test_any_other_name_stands_for_itself() -> None:
    assert members("coco") == ("coco",)
    assert members("table8") == ("table8",)


def test_the_whole_paper_is_its_runs_and_the_variants_of_tables_2_and_3() -> None:
    found = trainings("all", Preset())
    # of RUNS nothing trains on 07 alone with a star, and no proxy with one
    unused = [name for name in RUNS if "expand" in name and ("voc07" in name.split("-") or "voc0712train" in name)]
    variants = 11 + 1 + 2  # Table 3 without its first row, flips only, and two sets of shapes
    assert len(found) == len(RUNS) - len(unused) + variants


def test_table_1_and_the_ablations_share_the_paper_s_ssd300() -> None:
    apart = sum(len(trainings(name, Preset())) for name in ("table1", "table2", "table3"))
    targets = [
        stage
        for table in ("table1", "table2", "table3")
        for each in members(table)
        for stage in load_experiment(each).targets(Preset())
    ]
    together = sum(isinstance(node.stage, Train) for node in Graph(targets).nodes.values())
    assert together == apart - 2  # one training instead of three


def test_each_training_that_a_server_scores_ends_in_an_archive() -> None:
    def archives(name: str) -> list[str]:
        return [stage.variant for stage in load_experiment(name).targets(Preset()) if isinstance(stage, Submission)]

    plain = [
        f"{detector}-voc07++12{after}/seed0/voc2012-test"
        for detector in ("ssd300", "ssd512")
        for after in ("", "-after-coco")
    ]
    assert archives("voc2012") == plain
    starred = [variant.replace("-voc", "-expand-voc") for variant in plain]
    assert archives("small-object-augmentation") == plain + starred
