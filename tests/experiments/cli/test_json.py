"""`--json` of the commands that print facts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from experiments.cli.main import app
from experiments.framework.names import RECIPES, experiment_names

if TYPE_CHECKING:
    from pathlib import Path

    from tests.experiments.cli.conftest import Project


def document(project: Project, *command: str) -> Any:
    done = project.ssdpipe(*command, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_experiments_and_recipes_are_listed_as_json(project: Project) -> None:
    assert [each["name"] for each in document(project, "list")] == experiment_names()
    assert [each["name"] for each in document(project, "recipe", "list")] == list(RECIPES)


def test_a_recipe_is_shown_as_json_with_the_paper_s_values(project: Project) -> None:
    settings = document(project, "recipe", "show", "ssd-tiny")["settings"]
    assert settings["batch_size"]["paper"] == "32" != settings["batch_size"]["value"]
    plain = document(project, "recipe", "show", "ssd300-voc0712")["settings"].values()
    assert all(each["value"] == each["paper"] for each in plain)


def test_a_result_is_shown_as_json(project: Project) -> None:
    shown = document(project, "show", "shard/cats-train")
    assert shown["address"] == "shard/cats-train"
    assert len(shown["key"]) > 12
    assert {each["path"] for each in shown["files"]} >= {"report.json"}


def test_the_reasons_and_the_sizes_of_a_store_are_json(project: Project) -> None:
    reasons = document(project, "why", "train/ssd-tiny/seed0")
    assert reasons["stage"] == "train/ssd-tiny/seed0"
    assert reasons["reasons"]
    sizes = document(project, "du")
    assert sizes["results"]["shard"]["number"] == 2
    assert sizes["bytes"] >= sizes["results"]["shard"]["bytes"] > 0


def test_a_table_is_json_with_the_numbers_of_paper_and_ours(project: Project) -> None:
    (table,) = document(project, "compare", "ablation-layers", "--preset", "tiny")
    assert table["cells"][0]["published"] == 0.743
    assert table["cells"][0]["mean"] is None


WITHOUT_JSON = {
    "run": "prints what `compare --json` and `claims --json` print of its results",
    "train": "prints what `show evaluate/NAME --json` prints of its result",
    "report": "writes the page of an experiment; `compare --json` has its table",
    "submission": "writes an archive",
    "new experiment": "writes a file",
    "data download": "transfers files",
    "data link": "makes a link",
    "weights import": "writes a file; `weights show --json` describes it",
    "weights vgg16": "writes a file; `weights show --json` describes it",
    "weights transfer": "writes a file; `weights show --json` describes it",
    "recipe draw": "draws a picture",
    "stop": "asks a run to stop; `status --json` shows whether it did",
    "ui": "serves pages",
    "sync": "records in MLflow",
}


def commands(group: Any, *above: str) -> Iterator[tuple[str, bool]]:
    """Every command, and whether it has --json."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, *above, name)
        else:
            yield " ".join((*above, name)), any("--json" in option.opts for option in command.params)


def test_every_command_that_prints_facts_prints_them_as_json() -> None:
    without = {name for name, has_json in commands(typer.main.get_command(app)) if not has_json}
    assert without == set(WITHOUT_JSON)


def test_what_a_stage_printed_is_json(project: Project) -> None:
    log = document(project, "logs", "shard/cats-train")
    assert (log["stage"], log["state"], log["log"]) == ("shard/cats-train", "committed", "")
    both = project.ssdpipe("logs", "shard/cats-train", "--json", "--follow")
    assert "choose one" in str(both.exception)


def test_the_damage_of_a_store_is_json(project: Project) -> None:
    whole = document(project, "store", "verify")
    assert (whole["results"], whole["files"], whole["damaged"]) == (2, 10, [])
    shard = next(project.store.glob("objects/*/*/images-00000.parquet"))
    shard.write_bytes(shard.read_bytes()[:-1])
    done = project.ssdpipe("store", "verify", "--json")
    assert done.exit_code == 2
    (damaged,) = json.loads(done.stdout)["damaged"]
    assert damaged["files"] == ["images-00000.parquet"]
    assert damaged["key"] in str(shard)


def test_a_data_set_is_json_as_it_is_shown_and_converted(project: Project, tmp_path: Path) -> None:
    shown = document(project, "data", "show", str(project.data), "--spec", "ssd-tiny", "--out", str(tmp_path / "page"))
    assert (shown["images"], shown["objects_per_class"]) == (1, {"cat": 1})
    assert shown["reach"]["all"] == {"name": "all", "objects": 1, "unreached": 0}
    converted = document(project, "data", "convert", str(project.data), "--to", "coco", "--out", str(tmp_path / "coco"))
    assert converted["images_of_splits"] == {"test": 1, "train": 1}
    assert (converted["boxes"], converted["classes"]) == (2, ["cat"])
