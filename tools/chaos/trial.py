"""One round: run the command, kill at each moment, run it again until it succeeds, and check its store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from subprocess import Popen

from tools.chaos.checks import breaches, replaced
from tools.chaos.command import Command
from tools.chaos.progress import Progress
from tools.chaos.schedule import HELPERS, Kill, Round
from tools.chaos.victims import end, holding, strike

LIMIT = 300.0
"""Seconds after which a command that neither ends nor continues has failed the trial."""

NOTICED = ('"kind": "retried"', "workers were lost")
"""How events and logs of a run say that a process was replaced."""


@dataclass(frozen=True, kw_only=True)
class Death:
    """A kill that was carried out."""

    kill: Kill
    victims: int
    seconds: float
    """From the kill to the end of all processes of a command that ends, to the record of a loss that it survives, or to
    the lease of the second driver."""

    lost: str
    """What had to be computed again."""

    def __str__(self) -> str:
        cause = f"{self.kill.kind:<20} {self.kill.moment:<15} +{self.kill.delay:4.2f} s"
        return f"{cause}  noticed in {self.seconds:5.1f} s  lost: {self.lost}"


@dataclass
class Trial:
    command: Command
    progress: Progress
    undisturbed: dict[str, tuple[str, str]]
    drivers: list[Popen[bytes]] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    """Breaches so far."""

    committed: dict[str, str] = field(default_factory=dict)
    """Results at the last comparison: attempts by key."""

    deaths: int = 0

    def run(self, round_: Round) -> Iterator[Death]:
        """Carry out the round's kills, except those that find no victim any more; then finish and check."""
        loader = any(kill.kind == "loader process" for kill in round_.kills)
        for kill in round_.kills:
            self._start(2 if kill.kind.endswith("drivers") else 1, loader=loader)
            if self._wait_for(kill) and (death := self._carry_out(kill)).victims:
                self.deaths += 1
                yield death
        self._finish(loader=loader)
        self.found += breaches(self.command, self.undisturbed)

    def _start(self, number: int, *, loader: bool) -> None:
        self.drivers = self._live()
        self.drivers += [self.command.start(loader=loader) for _ in range(number - len(self.drivers))]

    def _wait_for(self, kill: Kill) -> bool:
        """Wait for the moment of a kill; False if the command ends before."""
        before = self.progress.newest_checkpoint()
        if not self._until(lambda: self.progress.reached(kill, before) or not self._alive()):
            self.found.append(f"the moment {kill.moment} did not come in {LIMIT:g} s")
        time.sleep(kill.delay)
        return self._alive()

    def _carry_out(self, kill: Kill) -> Death:
        self._compare()
        processes, lost, seen = self.command.processes(), self.progress.unfinished(), self._notices()
        at = time.monotonic()
        victims = strike(kill.kind, self._live(), processes, self.command.store / "leases")
        if kill.kind in HELPERS:
            self._until(lambda: not victims or self._notices() > seen or not self._alive(), 30)
        elif kill.kind == "one of two drivers":
            self._until(lambda: self._has_successor() or not self._alive())
        else:
            self._await_end(kill)
        return Death(kill=kill, victims=victims, seconds=time.monotonic() - at, lost=lost)

    def _await_end(self, kill: Kill) -> None:
        """Wait until no process of the command is left; what stays too long is a breach."""
        if not self._until(lambda: not self._alive() and not self.command.processes()):
            names = sorted({process.name() for process in self.command.processes()})
            self.found.append(f"{LIMIT:g} s after {kill.kind} at {kill.moment} there are still {', '.join(names)}")
            end(self.command.processes())

    def _finish(self, *, loader: bool) -> None:
        """Let the command succeed: those that still run first, then once more."""
        for driver in self.drivers:
            driver.wait(2 * LIMIT)
        self._compare()
        if code := self.command.start(loader=loader).wait(2 * LIMIT):
            self.found.append(f"the command ended with exit code {code}: {self.command.store.with_suffix('.log')}")
        self._compare()
        self._until(lambda: not self.command.processes(), 30)

    def _compare(self) -> None:
        now = self.progress.committed()
        self.found += replaced(self.committed, now)
        self.committed = now

    def _has_successor(self) -> bool:
        """Whether a live driver holds a lease."""
        return bool(holding(self._live(), self.command.store / "leases"))

    def _live(self) -> list[Popen[bytes]]:
        return [driver for driver in self.drivers if driver.poll() is None]

    def _alive(self) -> bool:
        return bool(self._live())

    def _notices(self) -> int:
        runs = self.command.store / "runs"
        texts = [path.read_text(encoding="utf-8") for path in (*runs.glob("*/events.jsonl"), *runs.glob("*/logs/*"))]
        return sum(text.count(sign) for text in texts for sign in NOTICED)

    def _until(self, holds: Callable[[], bool], limit: float = LIMIT) -> bool:
        stop = time.monotonic() + limit
        while not (reached := holds()) and time.monotonic() < stop:
            time.sleep(0.002)
        return reached


def left_alone(command: Command) -> None:
    """Run the command without a kill. Raises RuntimeError if it fails."""
    if code := command.start().wait(2 * LIMIT):
        raise RuntimeError(f"exit code {code} without a kill: {command.store.with_suffix('.log')}")


def keys_by_kind(undisturbed: dict[str, tuple[str, str]]) -> dict[str, str]:
    """{kind of stage: key}; of the two sets of shards the one to train on."""
    kinds = {
        address.partition("/")[0]: key for key, (address, _) in undisturbed.items() if not address.endswith("-test")
    }
    return {kind: kinds[kind] for kind in ("shard", "train", "detect", "evaluate")}
