"""`ssdpipe show` and `ssdpipe why` on a store with shards."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.experiments.cli.conftest import Begun


def test_show_tells_what_a_result_is_and_how_it_came_to_be(begun: Begun) -> None:
    shown = begun.ssdpipe("show", "shard/cats-train")
    assert shown.exit_code == 0
    lines = [line.split(maxsplit=1) for line in shown.stdout.splitlines()]
    assert lines[0] == ["shard/cats-train"]
    told = [" ".join(line) for line in lines]
    assert 'field classes = ["cat"]' in told
    assert any(line.startswith("file images-00000.parquet, ") for line in told)
    assert any(line.startswith(f"where {socket.gethostname()}") for line in told)
    assert not any("$" in line for line in told)


def test_show_takes_the_start_of_a_key(begun: Begun) -> None:
    key = next(begun.store.glob("keys/*.json")).stem
    assert f"key    {key}" in begun.ssdpipe("show", key[:10]).stdout


def test_show_suggests_an_address(begun: Begun) -> None:
    assert "did you mean 'shard/cats-t" in str(begun.ssdpipe("show", "shards/cats-train").exception)


def test_why_knows_the_graph_of_the_last_run(begun: Begun) -> None:
    assert begun.ssdpipe("why", "shard/cats-train").stdout.startswith("shard/cats-train is cached under ")
    assert begun.ssdpipe("why", "train/ssd-tiny/seed0").stdout == "no result of train/ssd-tiny/seed0 in this store\n"


def test_why_names_the_data_set_that_changed(begun: Begun) -> None:
    annotation = begun.data / "Annotations/a.xml"
    annotation.write_text(annotation.read_text().replace("<xmin>10", "<xmin>11"))
    assert begun.ssdpipe("why", "shard/cats-train").stdout == "data set changed\n"
    assert begun.ssdpipe("why", "train/ssd-tiny/seed0").stdout.startswith("after shard/cats-train\n")


def test_without_an_experiment_compare_says_what_the_last_run_was(begun: Begun) -> None:
    compared = begun.ssdpipe("compare")
    assert "`train`, has no table" in str(compared.exception)


def test_without_a_stage_those_that_there_are_are_told(begun: Begun) -> None:
    assert str(begun.ssdpipe("show").exception) == (
        f"no stage is named, and in the store {begun.store} there are: shard/cats-test, shard/cats-train"
    )
    assert "no stage is named, and in this graph there are: detect/ssd-tiny/seed0" in str(
        begun.ssdpipe("why").exception
    )


def test_why_takes_the_start_of_a_key_and_names_the_field_that_changed(begun: Begun) -> None:
    shown = begun.ssdpipe("show", "shard/cats-train").stdout.splitlines()
    key = next(line.split()[1] for line in shown if line.startswith("key "))
    assert begun.ssdpipe("why", key[:10]).stdout == f"shard/cats-train is cached under {key}\n"
    strict = ("ablation-layers", "--preset", "tiny", "--data", str(begun.data), "--strict", "--gpus", "0")
    assert "strict" in begun.ssdpipe("why", "shard/cats-train", *strict).stdout
