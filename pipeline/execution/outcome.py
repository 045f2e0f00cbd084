"""How a run ended, stage by stage.

Tested in tests/pipeline/execution/test_scheduler.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Literal

from pipeline.errors import StageFailed
from pipeline.store.store import Manifest

State = Literal["planned", "cached", "committed", "failed", "skipped", "cancelled"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    address: str
    state: State = "planned"
    manifest: Manifest | None = None
    """Manifest of a cached or committed stage, else None."""

    seconds: float = 0.0
    error: BaseException | None = None
    because: str = ""
    """Why the stage was skipped."""


@dataclass(frozen=True)
class Result:
    run_id: str
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    """Outcomes by node id, in topological order."""

    def in_state(self, *states: State) -> list[Outcome]:
        return [outcome for outcome in self.outcomes.values() if outcome.state in states]

    @property
    def status(self) -> str:
        """finished, failed or interrupted."""
        if self.in_state("cancelled", "planned"):
            return "interrupted"
        return "failed" if self.in_state("failed", "skipped") else "finished"

    def stopped_text(self) -> str:
        """What is kept of a run that was stopped, and what failed before it ended."""
        kept, failed = len(self.in_state("cached", "committed")), self.in_state("failed")
        more = "".join(f"; {outcome.address} failed: {_first_line(outcome.error)}" for outcome in failed)
        return f"stopped: {kept} of {len(self.outcomes)} stages are kept{more}; the same command resumes"

    def raise_for_failures(self) -> None:
        failed = self.in_state("failed")
        if failed:
            lines = [f"{outcome.address}: {type(outcome.error).__name__}: {outcome.error}" for outcome in failed]
            raise StageFailed("\n".join(lines))


def _first_line(error: BaseException | None) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


@dataclass(frozen=True, kw_only=True)
class Retries:
    """Retries of a job whose worker was lost: exponential backoff, with jitter so that jobs do not return together."""

    limit: int = 3
    first_delay: float = 2.0
    """Seconds."""

    factor: float = 2.0
    jitter: float = 0.25
    """Largest random addition to a delay, relative to it."""

    def delay(self, lost: int, random: Random) -> float:
        """Seconds to wait after a job was lost for the `lost`-th time."""
        return float(self.first_delay * self.factor ** (lost - 1) * (1 + self.jitter * random.random()))
