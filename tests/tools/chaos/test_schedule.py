"""The schedule of a campaign follows from its seed and covers every kind of death."""

from __future__ import annotations

import pytest

from tools.chaos.schedule import KINDS, MOMENTS, schedule


@pytest.mark.parametrize("seed", range(5))
def test_thirty_kills_are_of_every_kind_at_every_moment_at_which_its_victim_exists(seed: int) -> None:
    kills = [kill for round_ in schedule(seed, 30) for kill in round_.kills]
    assert len(kills) == 30
    assert {kill.kind for kill in kills} == set(KINDS)
    assert {kill.moment for kill in kills} == set(MOMENTS)
    assert all(kill.kind in MOMENTS[kill.moment] for kill in kills)


def test_equal_seeds_give_equal_rounds_and_other_seeds_other_ones() -> None:
    assert schedule(3, 30) == schedule(3, 30) != schedule(4, 30)


def test_a_longer_campaign_begins_with_the_rounds_of_a_shorter_one() -> None:
    assert schedule(3, 60)[:5] == schedule(3, 30)
