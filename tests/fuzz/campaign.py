"""Fuzz one target with a seed and a number of inputs: guided by coverage where atheris is installed, else seeded only.

The first byte of an input of atheris chooses the sound file that the rest was made from.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.judgement import Judge, Verdict, own_folder
from tests.fuzz.mutation import LARGEST, mutated
from tests.fuzz.target import Case, Target

ADDRESS_SPACE = 3 << 30
"""Bytes that the process may map beyond what it has when the target is ready; what needs more gets a MemoryError."""

HARMLESS = 0.1
"""Share of inputs that are only rewritten, and must be read as the sound file is."""

SHOWN = 3
"""Number of inputs kept of each kind of fault."""


@dataclass(kw_only=True)
class Figures:
    """Counts of one target."""

    inputs: int = 0
    accepted: int = 0
    refused: int = 0
    faults: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    """Number of faults of each kind."""

    examples: dict[str, str] = field(default_factory=dict)
    """Detail of the first fault of each kind."""

    slowest: float = 0.0
    memory: int = 0
    """Largest growth of the peak in bytes."""

    seconds: float = 0.0

    def add(self, verdict: Verdict) -> None:
        self.inputs += 1
        self.slowest, self.memory = max(self.slowest, verdict.seconds), max(self.memory, verdict.memory)
        if verdict.outcome == "fault":
            self.faults += 1
            self.kinds[verdict.kind] = self.kinds.get(verdict.kind, 0) + 1
            self.examples.setdefault(verdict.kind, verdict.detail)
        elif verdict.outcome == "accepted":
            self.accepted += 1
        else:
            self.refused += 1

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Campaign:
    """A target with its sound files, ready to take inputs."""

    def __init__(self, target: Target, place: Path, *, seed: int, keep: Path | None = None) -> None:
        """`keep` is the folder for inputs with faults."""
        self.target, self.figures, self._keep = target, Figures(), keep
        self._odd = Random(f"{seed} {target.name}")
        self.cases = list(target.cases(self._odd, place))
        self._judge = Judge(place)
        self._contents = [case.content for case in self.cases]
        self._current = open(keep / f"{target.name}.current", "wb", buffering=0) if keep else None  # noqa: SIM115

    def check_sound_files(self) -> None:
        """Every sound file means the same each time that it is read."""
        for case in self.cases:
            self.figures.add(self._judge.judge(case, case.content, same=True))

    def step(self) -> Verdict:
        """Judge one input made by seeded mutation."""
        case = self._odd.choice(self.cases)
        if self.target.harmless and self._odd.random() < HARMLESS:
            return self.judge(case, self.target.harmless(case.content, self._odd), same=True)
        return self.judge(case, mutated(case.content, self._odd, self._contents))

    def judge(self, case: Case, content: bytes, *, same: bool = False) -> Verdict:
        if self._current:
            self._current.seek(0)  # a crash of the process leaves the input here
            self._current.truncate()
            self._current.write(content)
        verdict = self._judge.judge(case, content, same=same)
        self.figures.add(verdict)
        if verdict.outcome == "fault" and self._keep and self.figures.kinds[verdict.kind] <= SHOWN:
            name = f"{self.target.name}-{hashlib.sha256(content).hexdigest()[:12]}"
            (self._keep / f"{name}.bin").write_bytes(content)
            (self._keep / f"{name}.txt").write_bytes(
                f"{verdict.kind}\n{verdict.detail}".encode(errors="backslashreplace")
            )
        return verdict


def run(target: Target, *, seed: int, inputs: int, keep: Path, report: Path, guided: bool) -> None:
    """Fuzz a target and write its figures as JSON; for the process of its own that `__main__` starts."""
    start = time.perf_counter()
    with own_folder() as place:
        campaign = Campaign(target, place, seed=seed, keep=keep)
        campaign.check_sound_files()
        _limit_memory()

        def save() -> None:
            campaign.figures.seconds = time.perf_counter() - start
            report.write_bytes(json.dumps(campaign.figures.to_json()).encode())

        if guided:
            _guided(campaign, seed, inputs, place, save)
        while campaign.figures.inputs < inputs:
            campaign.step()
            if campaign.figures.inputs % 100 == 0:
                save()
        save()


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_bytes().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + ADDRESS_SPACE,) * 2)


def _guided(campaign: Campaign, seed: int, inputs: int, place: Path, save: Callable[[], None]) -> None:
    """Let atheris choose the inputs. It never returns: the process ends when there have been enough."""
    import atheris

    cases, odd = campaign.cases[:256], Random(seed)
    corpus = place.parent / "corpus"
    corpus.mkdir()
    for number, case in enumerate(cases):
        (corpus / f"{number}").write_bytes(bytes([number]) + case.content)

    def take(data: bytes) -> None:
        case = cases[data[0] % len(cases)] if data else cases[0]
        if campaign.target.harmless and odd.random() < HARMLESS:
            campaign.judge(case, campaign.target.harmless(case.content, odd), same=True)
        campaign.judge(case, data[1:])
        if campaign.figures.inputs >= inputs:
            save()
            shutil.rmtree(place.parent)  # since nothing after this line runs
            os._exit(0)

    def change(data: bytes, max_size: int, number: int) -> bytes:
        chance = Random(number)
        if chance.random() < 0.2:
            return bytes(data[:1]) + bytes(atheris.Mutate(data[1:], max_size - 1))
        changed = mutated(data[1:], chance, [case.content for case in cases])
        return bytes(data[:1]) + changed[: max_size - 1]

    options = f"-seed={seed + 1} -max_len={LARGEST} -rss_limit_mb=0 -timeout=60 -verbosity=0"
    atheris.Setup(["fuzz", *options.split(), str(corpus)], take, custom_mutator=change)
    atheris.Fuzz()
