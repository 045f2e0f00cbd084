"""Claims decided one after another, as seeds are added to the rows of those that are not: by the store's state alone.

A course is replayed from the first look whenever it is needed, so that a repeated command comes to the decisions of
the first. A look at n seeds uses the first n seeds of the rows, whatever else the store holds.

Tested in tests/experiments/framework/claims/test_course.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from experiments.framework.claims.claim import At, Claim, Quantity
from experiments.framework.claims.judging import Finding, Judged, finding
from experiments.framework.claims.measuring import Measured, assumed, estimated_by_rows
from ssd_core.metrics.sequential import Design, Look, decided, design
from ssd_core.metrics.verdict import LEVEL, Evidence, Verdict

Ending = Literal["decided", "given up", "measured once", "at the most seeds", "waiting"]

NOTES: dict[Ending, str] = {
    "decided": "",
    "given up": "given up: no effect is likelier than one as large as the one to find",
    "measured once": "measured once: more seeds do not change it",
    "at the most seeds": "not decided by --max-seeds; a larger number continues",
    "waiting": "not decided yet: the same command continues",
}
"""Notes on claims that are undecided."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A claim that is tested, and its numbers over all seeds in the store."""

    experiment: str
    claim: Claim
    numbers: Mapping[Quantity, Measured]
    among: int
    most_seeds: int

    @property
    def rows(self) -> list[At]:
        return [each for each in self.numbers if isinstance(each, At)]

    @property
    def is_seeded(self) -> bool:
        """Whether seeds can be added to all of its numbers."""
        return len(self.rows) == len(self.numbers)

    def has(self, seeds: int) -> bool:
        return all(number.values.keys() >= set(range(seeds)) for number in self.numbers.values())

    def finding(self, seeds: int) -> tuple[Finding, bool]:
        """What the first seeds show, and whether the stated spread supports it."""
        numbers = {each: _first(number, seeds) for each, number in self.numbers.items()}
        plain = finding(self.experiment, self.claim, numbers, among=self.among)
        if not self.is_seeded or not plain.estimates:
            return plain, False
        looked = [estimated_by_rows(each, numbers, seeds) for each in self.claim.statistic.contrasts()]
        return replace(plain, estimates=tuple(each for each, _ in looked)), all(supported for _, supported in looked)

    def design(self, target: float | None) -> Design | None:
        if not self.is_seeded:
            return None
        spread, images = assumed(self.claim.statistic.contrasts()[0], self.numbers)
        return design(target, spread=spread.value, image_error=images, most_seeds=self.most_seeds)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Where a claim stands after a look."""

    case: Case
    finding: Finding
    seeds: int
    ending: Ending
    verdict: Verdict = "undecided"
    size: Verdict | None = None

    @property
    def judged(self) -> Judged:
        design = self.case.design(self.finding.target) if self.ending == "given up" else None
        return Judged(
            finding=self.finding,
            verdict=self.verdict,
            size=self.size,
            note=NOTES[self.ending],
            to_find=design.effect if design else None,
        )


@dataclass(frozen=True, kw_only=True)
class Round:
    """One look at all open claims."""

    seeds: int
    ended: tuple[Decision, ...]
    """Claims that this look decides or gives up."""

    open: tuple[Decision, ...]


@dataclass(frozen=True, kw_only=True)
class Course:
    """All looks that the store allows."""

    rounds: tuple[Round, ...]
    waiting: tuple[Case, ...]
    """Open claims, whose rows need `next_seeds` seeds each for the next look; empty at the end."""

    next_seeds: int
    single: tuple[Decision, ...]
    """Claims on numbers that are measured once, by the level that the others leave."""

    @cached_property
    def decisions(self) -> list[Decision]:
        """The last word on each claim."""
        at_end = self.rounds[-1].open if self.rounds else ()
        return [*(each for one in self.rounds for each in one.ended), *at_end, *self.single]

    @property
    def judged(self) -> dict[tuple[str, str], Judged]:
        """The verdicts by experiment and sentence."""
        return {(each.case.experiment, each.case.claim.sentence): each.judged for each in self.decisions}

    @property
    def undecided(self) -> list[Decision]:
        return [each for each in self.decisions if each.verdict == "undecided"]

    def seeds(self) -> dict[tuple[str, At], int]:
        """Number of seeds of each row of a claim: for the next look, or those that its claims have used."""
        used = [(each.case, each.seeds) for each in self.decisions] + [(each, self.next_seeds) for each in self.waiting]
        rows: dict[tuple[str, At], int] = {}
        for case, seeds in used:
            for row in case.rows:
                rows[case.experiment, row] = max(seeds, rows.get((case.experiment, row), 0))
        return rows


def course(cases: Sequence[Case], *, first: int, most_seeds: int) -> Course:
    """The looks from `first` seeds on, as far as the store has the seeds, or until no claim is open."""
    seeded, single = [each for each in cases if each.is_seeded], [each for each in cases if not each.is_seeded]
    rounds: list[Round] = []
    waiting, seeds, undecided = seeded, first, len(cases)
    while waiting and seeds <= most_seeds and all(case.has(seeds) for case in waiting):
        rounds.append(_look(waiting, seeds, undecided, is_last=seeds == most_seeds))
        undecided -= sum(each.ending == "decided" for each in rounds[-1].ended)
        waiting, seeds = [each.case for each in rounds[-1].open], seeds + 1
    if seeds > most_seeds:
        waiting = []
    return Course(
        rounds=tuple(rounds), waiting=tuple(waiting), next_seeds=seeds, single=_single(single, undecided=undecided)
    )


def _look(cases: Sequence[Case], seeds: int, undecided: int, *, is_last: bool) -> Round:
    found = [case.finding(seeds) for case in cases]
    looks = [
        Look(evidence=each.evidence(), seeds=seeds, design=case.design(each.target), supported=supported)
        for case, (each, supported) in zip(cases, found, strict=True)
    ]
    places = decided(looks, undecided=undecided)
    ended, still_open = [], []
    for place, (case, (each, _)) in enumerate(zip(cases, found, strict=True)):
        here = Decision(case=case, finding=each, seeds=seeds, ending="at the most seeds" if is_last else "waiting")
        if place in places:
            size = _size(each, case, seeds)
            ended.append(replace(here, ending="decided", verdict=_direction(looks[place].evidence), size=size))
        elif looks[place].is_hopeless:
            ended.append(replace(here, ending="given up", size=_size(each, case, seeds)))
        else:
            still_open.append(replace(here, size=_size(each, case, seeds)))
    return Round(seeds=seeds, ended=tuple(ended), open=tuple(still_open))


def _single(cases: Iterable[Case], *, undecided: int) -> tuple[Decision, ...]:
    """Judged by one look each, once the other claims have had theirs."""
    found = [(case, case.finding(1)[0]) for case in cases]
    tested = [(case, each) for case, each in found if each.estimates]
    looks = [Look(evidence=each.evidence(), seeds=1, design=None) for _, each in tested]
    places = decided(looks, undecided=undecided) if looks else set()
    return tuple(
        Decision(
            case=case,
            finding=each,
            seeds=1,
            ending="decided" if place in places else "measured once",
            verdict=_direction(looks[place].evidence) if place in places else "undecided",
            size=_size(each, case, 1),
        )
        for place, (case, each) in enumerate(tested)
    )


def _direction(evidence: Evidence) -> Verdict:
    return "supported" if evidence.opposite < evidence.claim else "contradicted"


def _size(found: Finding, case: Case, seeds: int) -> Verdict | None:
    """Whether the effect is as large as the paper's, by the same rule and an equal share of the level."""
    evidence = found.size_evidence()
    if evidence is None:
        return None
    look = Look(evidence=evidence, seeds=seeds, design=case.design(found.size_margin))
    return _direction(evidence) if look.is_decided(LEVEL / case.among) else "undecided"


def _first(number: Measured, seeds: int) -> Measured:
    values = {seed: value for seed, value in number.values.items() if seed < seeds}
    samples = {seed: sample for seed, sample in number.samples.items() if seed < seeds}
    return replace(number, values=values, samples=samples)
