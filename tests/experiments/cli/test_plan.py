"""`ssdpipe plan` and `ssdpipe compare` before anything has run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Begun

EXPERIMENT = ("ablation-layers", "--preset", "tiny", "--column", "yes")


def test_plan_tells_the_state_of_each_stage_and_the_totals(begun: Begun) -> None:
    lines = begun.ssdpipe("plan", *EXPERIMENT, "--data", str(begun.data)).stdout.splitlines()
    states = {line.split()[0]: line.split()[1] for line in lines[1:-1]}
    assert states["shard/train"] == states["shard/test"] == "cached"  # the same shards as those of the training
    assert states["train/all-six/seed0"] == "run"
    assert states["table/ablation-layers"] == "after"
    assert lines[-1] == "21 stages: 2 cached, 6 run, 13 after"  # 6 rows: train, detect, evaluate; 2 shards; the table


def test_plan_changes_nothing(begun: Begun) -> None:
    before = sorted(begun.store.rglob("*"))
    begun.ssdpipe("plan", *EXPERIMENT)
    assert sorted(begun.store.rglob("*")) == before


def test_the_graph_can_be_drawn(begun: Begun) -> None:
    drawn = begun.ssdpipe("plan", *EXPERIMENT, "--data", str(begun.data), "--mermaid").stdout
    assert drawn.startswith("flowchart LR\n")
    assert '["shard/train"]:::cached' in drawn


def test_rows_without_a_result_say_so(begun: Begun) -> None:
    compared = begun.ssdpipe("compare", *EXPERIMENT)
    assert compared.exit_code == 0
    assert compared.stdout.count("not run") == 6
