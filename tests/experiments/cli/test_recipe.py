"""`ssdpipe recipe`."""

from __future__ import annotations

from typer.testing import CliRunner

from experiments.cli.main import app
from experiments.setups import RECIPES


def printed(*arguments: str) -> list[str]:
    done = CliRunner().invoke(app, ["recipe", *arguments])
    assert done.exit_code == 0
    return done.stdout.splitlines()


def test_every_recipe_is_listed_with_what_it_is() -> None:
    assert [line.split()[0] for line in printed("list")] == list(RECIPES)


def test_the_paper_s_recipe_has_no_departure() -> None:
    lines = printed("show", "ssd300-voc0712")
    assert "  schedule.drops = 40000,50000" in lines
    assert not [line for line in lines if line.startswith("*")]


def test_departures_are_marked() -> None:
    starred = [line for line in printed("show", "ssd300-expand-voc0712") if line.startswith("*")]
    assert starred == [
        "* augmentation.expand = True",
        "* schedule.iterations = 120000",
        "* schedule.drops = 80000,100000",
    ]
