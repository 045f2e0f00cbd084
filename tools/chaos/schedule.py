"""What is killed, at which moment: a list of rounds that follows from a seed.

A round is one store. Its kills come in the order in which a run passes their moments, and every kind of death is used
about equally often at the moments at which its victim exists.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

SIGNALLED = ("driver SIGKILL", "driver SIGTERM", "driver SIGINT", "driver SIGHUP")
DRIVERS = (*SIGNALLED, "everything", "one of two drivers", "both drivers")
"""Deaths that end a command; `everything` kills Ray's processes with it, as a power cut does."""

CLUSTER = ("raylet", "head")
"""Processes of Ray without which the command cannot continue; the head is `gcs_server`."""

HELPERS = ("stage process", "map worker", "training worker", "training controller", "loader process")
"""Processes that the command replaces by itself."""

KINDS = (*DRIVERS, *CLUSTER, *HELPERS)

MOMENTS: dict[str, tuple[str, ...]] = {
    "starting": (*SIGNALLED, "everything", "both drivers"),
    "sharding": (*DRIVERS, *CLUSTER, "stage process", "map worker"),
    "training": tuple(kind for kind in KINDS if kind != "map worker"),
    "training again": tuple(kind for kind in KINDS if kind != "map worker"),
    "committing": (*DRIVERS, *CLUSTER, "stage process", "training controller"),
    "detecting": (*DRIVERS, *CLUSTER, "stage process", "map worker"),
}
"""Moments of a round in their order, with the kinds of death that can happen there."""

DELAYS = {"starting": 6.0, "sharding": 0.8, "committing": 0.06, "detecting": 1.5}
"""Longest time in seconds that a kill waits after its moment was reached; 0.4 for others."""


@dataclass(frozen=True, kw_only=True)
class Kill:
    kind: str
    moment: str
    delay: float
    """Seconds to wait after the moment."""

    checkpoints: int
    """New checkpoints after which the moment `training` is reached."""


@dataclass(frozen=True, kw_only=True)
class Round:
    number: int
    kills: tuple[Kill, ...]


def schedule(seed: int, kills: int) -> list[Round]:
    """Rounds with this many kills together; the last may be shorter. Equal arguments give equal rounds."""
    rng, used, rounds = random.Random(seed), Counter[str](), list[Round]()
    while (left := kills - sum(len(round_.kills) for round_ in rounds)) > 0:
        made = [_kill(moment, rng, used) for moment in MOMENTS]
        rounds.append(Round(number=len(rounds), kills=tuple(made[:left])))
    return rounds


def _kill(moment: str, rng: random.Random, used: Counter[str]) -> Kill:
    fewest = min(used[kind] for kind in MOMENTS[moment])
    kind = rng.choice([kind for kind in MOMENTS[moment] if used[kind] == fewest])
    used[kind] += 1
    delay = rng.uniform(0, DELAYS.get(moment, 0.4))
    return Kill(kind=kind, moment=moment, delay=delay, checkpoints=rng.randint(1, 5))
