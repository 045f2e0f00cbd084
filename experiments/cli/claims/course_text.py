"""The progress of `run --until-decided`: what each look decides, which rows get seeds next, and why it ended.

Tested in tests/experiments/cli/claims/test_until_decided.py.
"""

from __future__ import annotations

from collections import Counter

from experiments.cli.claims.verdict_text import MARKS, ending, numbers, sentence
from experiments.cli.shared.printing import wrapped
from experiments.framework.claims.claim import At
from experiments.framework.claims.course import Course, Decision, Round


def round_lines(look: Round) -> list[str]:
    """What one look shows: the claims that it ends, and how many are open."""
    decided = sum(each.ending == "decided" for each in look.ended)
    given_up = len(look.ended) - decided
    head = f"look at {look.seeds} seeds: {decided} decided, {given_up} given up, {len(look.open)} open"
    return [head, *(_line(each) for each in look.ended)]


def next_line(now: Course) -> str:
    """The rows of open claims that need further seeds."""
    rows = sorted({_name(row) for case in now.waiting for row in case.rows})
    return wrapped("; ".join(rows), f"next, {now.next_seeds} seeds each: ")


def ending_lines(now: Course) -> list[str]:
    """Why no seeds are added."""
    if not now.decisions:
        return ["ended: no claim of this experiment can be tested here"]
    counts = Counter(each.ending for each in now.decisions)
    if set(counts) == {"decided"}:
        return [f"ended: all {len(now.decisions)} claims are decided"]
    left = [each for each in now.decisions if each.ending != "decided" and each not in _shown(now)]
    return [f"ended: {counts['decided']} of {len(now.decisions)} claims are decided", *(_line(each) for each in left)]


def _shown(now: Course) -> list[Decision]:
    return [each for look in now.rounds for each in look.ended]


def _line(decision: Decision) -> str:
    judged = decision.judged
    head = f"  {MARKS[judged.verdict]} {judged.verdict:12} "
    parts = [sentence(judged), numbers(judged), ending(judged)]
    return wrapped("\n".join(each for each in parts if each), head)


def _name(row: At) -> str:
    return f"{row.row} ({row.column})" if row.column else row.row
