"""The table that a campaign prints; the kills are made up."""

from __future__ import annotations

from pathlib import Path

from tools.chaos.schedule import Kill
from tools.chaos.summary import forget, kills, record, table
from tools.chaos.trial import Death


def test_a_repeated_round_replaces_its_kills_in_the_table(tmp_path: Path) -> None:
    kill = Kill(kind="raylet", moment="sharding", delay=0.0, checkpoints=0)
    for number, lost in ((2, "one file"), (1, "nothing")):
        record(tmp_path, number, Death(kill=kill, victims=1, seconds=1.26, lost=lost))
    assert table(kills(tmp_path)).splitlines()[2:] == [
        "| 1 | raylet | sharding | 1.3 | nothing |",
        "| 2 | raylet | sharding | 1.3 | one file |",
    ]
    forget(tmp_path, 2)
    record(tmp_path, 2, Death(kill=kill, victims=1, seconds=0.0, lost="two steps"))
    assert [facts["lost"] for facts in kills(tmp_path)] == ["nothing", "two steps"]


def test_a_campaign_without_kills_has_an_empty_table(tmp_path: Path) -> None:
    forget(tmp_path, 0)
    assert len(table(kills(tmp_path)).splitlines()) == 2
