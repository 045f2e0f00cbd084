"""What to say when a name does not exist."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def suggestion(wrong: str, there: Iterable[str]) -> str:
    """ "did you mean ...? There are: ..." for a name that does not exist."""
    known = sorted(there)
    near = get_close_matches(wrong.lower(), [name.lower() for name in known], n=1)
    meant = next((name for name in known if near and name.lower() == near[0]), None)
    return (f"did you mean {meant!r}? " if meant else "") + f"There are: {', '.join(known) or 'none'}"
