"""`--json` of the commands that print facts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from experiments.framework.names import RECIPES, experiment_names

if TYPE_CHECKING:
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
