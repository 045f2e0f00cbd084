"""What one check of `ssdpipe doctor` found.

Tested in tests/experiments/cli/test_doctor.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from pipeline.errors import PipelineError

State = Literal["ok", "note", "problem"]
"""A note says what is absent although everything works; a problem makes some command fail."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    name: str
    state: State = "ok"
    text: str
    remedy: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    """The same in numbers and names, for --json."""

    table: tuple[tuple[str, ...], ...] = ()
    """Rows that are printed below the text; --json has them as facts."""


def refusal(name: str, check: Callable[[], None], facts: dict[str, Any]) -> Finding | None:
    """The finding behind the error that a check raises: its first line is the text, the others are the remedy."""
    try:
        check()
    except PipelineError as error:
        text, _, remedy = str(error).partition("\n")
        return Finding(name=name, state="problem", text=text, remedy=remedy, facts=facts)
    return None
