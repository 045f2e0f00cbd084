"""What a typed name means, and suggestions for one that does not exist: "did you mean", and the names that do exist."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from pipeline.terminal import visible

SHOWN = 5
"""Largest number of names in a message."""


def with_seed(text: str, addresses: Iterable[str]) -> str:
    """The address that `text` means without its seed, such as train/all-six, if only one seed exists; else `text`."""
    known = set(addresses)
    seeds = [address for address in known if re.fullmatch(rf"{re.escape(text)}/seed\d+", address)]
    return seeds[0] if text not in known and len(seeds) == 1 else text


def nearest(wrong: str, there: Iterable[str], *, count: int = 1, cutoff: float = 0.6) -> list[str]:
    """Names similar to a misspelt one, best match first; case does not matter."""
    names = {name.lower(): name for name in there}
    return [names[near] for near in get_close_matches(wrong.lower(), names, n=count, cutoff=cutoff)]


def suggestion(wrong: str, there: Iterable[str]) -> str:
    """The clause that follows a message about an unknown name, after a semicolon or colon; without a full stop.

    "did you mean 'a'? There are: a, b", "there are: a, b", "there is only a" or "there are none"; with many names,
    "did you mean 'a', 'b' or 'c'? There are 80", or "there are: a, b, c, d, e and 75 more".
    """
    known = sorted(map(visible, set(there)))
    if len(known) < 2:
        return f"there is only {known[0]}" if known else "there are none"
    if len(known) <= SHOWN:
        return _after_question(nearest(wrong, known), f"there are: {', '.join(known)}")
    if meant := _near_or_containing(wrong, known):
        return _after_question(meant, f"there are {len(known)}")
    return f"there are: {', '.join(known[:SHOWN])} and {len(known) - SHOWN} more"


def _near_or_containing(wrong: str, known: Sequence[str]) -> list[str]:
    """Names similar to the wrong one, then names that contain it."""
    containing = [name for name in known if len(wrong) > 2 and wrong.lower() in name.lower()]
    return list(dict.fromkeys([*nearest(wrong, known, count=SHOWN), *containing]))[:SHOWN]


def _after_question(meant: Sequence[str], clause: str) -> str:
    """The clause, as a separate sentence when a question precedes it."""
    return f"did you mean {_either(meant)}? {clause[0].upper()}{clause[1:]}" if meant else clause


def _either(names: Sequence[str]) -> str:
    *others, last = [repr(name) for name in names]
    return f"{', '.join(others)} or {last}" if others else last
