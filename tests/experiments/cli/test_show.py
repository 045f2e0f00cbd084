"""`ssdpipe show` and `ssdpipe why` on a store with shards."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from experiments.cli.main import app

if TYPE_CHECKING:
    from tests.experiments.cli.conftest import Project
    from tests.experiments.conftest import Compared


def test_show_prints_a_result_and_its_provenance(project: Project) -> None:
    shown = project.ssdpipe("show", "shard/cats-train")
    assert shown.exit_code == 0
    lines = [line.split(maxsplit=1) for line in shown.stdout.splitlines()]
    assert lines[0] == ["shard/cats-train"]
    printed = [" ".join(line) for line in lines]
    assert "setting classes = (cat)" in printed
    assert any(line.startswith("file images-00000.parquet, ") for line in printed)
    assert any(line.startswith(f"machine {socket.gethostname()}") for line in printed)
    assert not any("$" in line for line in printed)


def test_of_a_training_only_what_differs_from_the_nearest_recipe_is_printed_unless_all_is_requested(
    compared: Compared,
) -> None:
    def lines(*options: str) -> list[str]:
        done = CliRunner().invoke(app, ["show", "train/squares/seed0", *options, "--store", compared.place])
        assert done.exit_code == 0, done.output
        return [" ".join(line.split()) for line in done.stdout.splitlines()]

    brief = lines()
    assert "settings as in the recipe ssd-tiny, except" in brief
    assert {"setting momentum = 0.25, not 0.9", "setting batch_size = 2, not 4"} <= set(brief)
    assert not any("weight_decay" in line for line in brief)
    assert "setting weight_decay = 0.0005" in lines("--all")
    assert len(brief) < 40 < 100 < len(lines("--all"))


def test_show_takes_the_start_of_a_key(project: Project) -> None:
    key = next(project.store.glob("keys/*.json")).stem
    lines = project.ssdpipe("show", key[:10]).stdout.splitlines()
    assert ["key", key] in [line.split() for line in lines]


def test_show_suggests_an_address(project: Project) -> None:
    assert "did you mean 'shard/cats-t" in str(project.ssdpipe("show", "shards/cats-train").exception)


def test_why_knows_the_graph_of_the_last_run(project: Project) -> None:
    assert project.ssdpipe("why", "shard/cats-train").stdout.startswith("shard/cats-train is cached under ")
    assert project.ssdpipe("why", "train/ssd-tiny/seed0").stdout == "no result of train/ssd-tiny/seed0 in this store\n"


def test_why_names_the_data_set_that_changed(project: Project) -> None:
    annotation = project.data / "Annotations/a.xml"
    annotation.write_text(annotation.read_text().replace("<xmin>10", "<xmin>11"))
    assert project.ssdpipe("why", "shard/cats-train").stdout == "data set changed\n"
    assert project.ssdpipe("why", "train/ssd-tiny/seed0").stdout.startswith("after shard/cats-train\n")


def test_without_an_experiment_compare_names_the_last_run(project: Project) -> None:
    compared = project.ssdpipe("compare")
    assert "`train`, has no table" in str(compared.exception)


def test_without_a_stage_the_existing_ones_are_listed(project: Project) -> None:
    assert str(project.ssdpipe("show").exception) == (
        f"no stage is named, and in the store {project.store} there are: shard/cats-test, shard/cats-train"
    )
    assert "no stage is named, and in this graph there are: detect/ssd-tiny/seed0" in str(
        project.ssdpipe("why").exception
    )


def test_why_takes_the_start_of_a_key_and_names_the_field_that_changed(project: Project) -> None:
    shown = project.ssdpipe("show", "shard/cats-train").stdout.splitlines()
    key = next(line.split()[1] for line in shown if line.startswith("key "))
    assert project.ssdpipe("why", key[:10]).stdout == f"shard/cats-train is cached under {key}\n"
    strict = ("ablation-layers", "--preset", "tiny", "--data", str(project.data), "--strict", "--gpus", "0")
    assert "strict" in project.ssdpipe("why", "shard/cats-train", *strict).stdout
