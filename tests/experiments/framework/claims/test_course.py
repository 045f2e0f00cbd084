"""Courses on planted numbers: who is open after each look, and that the store's state alone decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from experiments.framework.claims.claim import At, Claim, Difference, Quantity, Recorded
from experiments.framework.claims.course import Case, Course, course
from experiments.framework.claims.measuring import Measured
from ssd_core.metrics.estimate import Spread

MOST = 12
TIMED = Recorded("speed/a", "images/s", error=0.1)


def number(values: Sequence[float], published: float) -> Measured:
    by_seed = dict(enumerate(values))
    return Measured(values=by_seed, samples={}, published=published, seeds=Spread(value=0.01), images=0.0)


def noise(seed: int) -> list[float]:
    """Deviations of a row's seeds."""
    return [0.01 * float(each) for each in np.random.default_rng(seed).standard_normal(MOST)]


ROWS = {
    "base": [0.5 + each for each in noise(0)],
    "better": [0.6 + each for each in noise(1)],
    "alike": [0.5 + each for each in noise(2)],
    "worse": [0.4 + each for each in noise(3)],
}


def case(more: str, *, seeds: int = MOST, within: float | None = None) -> Case:
    rows: dict[Quantity, Measured] = {
        At(name): number(ROWS[name][:seeds], 0.5 if name == "base" else 0.6) for name in (more, "base")
    }
    claim = Claim(f"{more} is better.", Difference(more, "base"), within=within)
    return Case(experiment="mine", claim=claim, numbers=rows, among=3, most_seeds=MOST)


def cases(seeds: int = MOST) -> list[Case]:
    return [case(name, seeds=seeds) for name in ("better", "alike", "worse")]


def stepped() -> Iterator[Course]:
    """The course of a store that gets one seed of every row after another, of which the first look needs two."""
    return (course(cases(seeds), first=2, most_seeds=MOST) for seeds in range(2, MOST + 1))


def shown(each: Course) -> list[tuple[object, ...]]:
    """What each look ended, on which numbers."""
    looks = [(look.seeds, one) for look in each.rounds for one in (*look.ended, *look.open)]
    by_look: dict[int, list[object]] = {}
    for seeds, one in looks:
        by_look.setdefault(seeds, []).append((one.case.claim, one.ending, one.finding.estimates))
    return list(by_look.items())


def test_planted_effects_get_their_verdicts_and_none_is_given_up_or_decided_twice() -> None:
    ended = course(cases(), first=2, most_seeds=MOST)
    verdicts = {each.case.claim.sentence: (each.verdict, each.ending) for each in ended.decisions}
    assert verdicts["better is better."] == ("supported", "decided")
    assert verdicts["worse is better."] == ("contradicted", "decided")
    assert verdicts["alike is better."] == ("undecided", "given up")
    assert ended.waiting == ()


def test_rows_of_ended_claims_get_no_further_seeds() -> None:
    seeds = {at.row: number for (_, at), number in course(cases(), first=2, most_seeds=MOST).seeds().items()}
    assert seeds["better"] < MOST
    assert seeds["base"] == max(seeds.values())  # all claims are on it


def test_a_look_uses_the_first_seeds_whatever_else_the_store_holds() -> None:
    at_end, steps = shown(course(cases(), first=2, most_seeds=MOST)), [shown(each) for each in stepped()]
    assert len(at_end) > 1
    assert [step for step in steps if step != at_end] == [at_end[:looks] for looks in range(1, len(at_end))]


def test_a_claim_waits_for_the_seeds_of_all_of_its_rows() -> None:
    waiting = course([case("better", seeds=1), case("worse", seeds=3)], first=2, most_seeds=MOST)
    assert waiting.rounds == ()
    assert set(waiting.seeds().values()) == {2}


def test_equivalence_is_shown_within_its_margin() -> None:
    ended = course([case("alike", within=0.05)], first=2, most_seeds=MOST)
    assert [each.verdict for each in ended.decisions] == ["supported"]


def test_a_claim_that_is_still_open_at_the_most_seeds_is_undecided() -> None:
    (decision,) = course([case("better", seeds=2)], first=2, most_seeds=2).decisions
    assert decision.ending in ("decided", "at the most seeds")
    rows: dict[Quantity, Measured] = {At("a"): number([0.50, 0.53], 0.6), At("base"): number([0.49, 0.485], 0.5)}
    open_case = Case(experiment="mine", claim=Claim("a", Difference("a", "base")), numbers=rows, among=1, most_seeds=2)
    (left,) = course([open_case], first=2, most_seeds=2).decisions
    assert (left.verdict, left.ending) == ("undecided", "at the most seeds")


@pytest.mark.parametrize(("value", "verdict"), [(0.9, "supported"), (0.55, "undecided")])
def test_a_number_that_is_measured_once_asks_for_no_seeds(value: float, verdict: str) -> None:
    numbers: dict[Quantity, Measured] = {
        At("base"): number(ROWS["base"][:1], 0.5),
        TIMED: Measured(values={0: value}, samples={}, published=None, seeds=Spread(value=0.1), images=0.0),
    }
    claim = Claim("It is fast.", Difference(TIMED, "base"))
    once = Case(experiment="mine", claim=claim, numbers=numbers, among=1, most_seeds=MOST)
    ended = course([once], first=2, most_seeds=MOST)
    assert [each.verdict for each in ended.decisions] == [verdict]
    assert ended.waiting == ()
