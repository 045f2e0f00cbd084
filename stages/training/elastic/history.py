"""Which steps of a training ran on how many workers, from which images, with which losses: `work/history/`.

One file for the steps between two checkpoints, written before the second: the files up to a checkpoint hold each step
that led to it exactly once. Steps after the newest checkpoint are lost with a worker, and their record with them.

Tested in tests/stages/training/elastic/test_history.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec

from pipeline.folder import Folder
from pipeline.store.reading import Unreadable, read_typed

if TYPE_CHECKING:
    from ssd_core.training.compilation import Verdict

T = TypeVar("T")
HISTORY = "history"


@dataclass(frozen=True, kw_only=True)
class Steps:
    """Consecutive steps on one group of workers; steps count from 1."""

    first: Annotated[int, msgspec.Meta(ge=1)]
    workers: Annotated[int, msgspec.Meta(ge=1)]
    losses: tuple[float, ...]
    digests: tuple[int, ...]
    """Digests of the images, from `ssd_core.data.batch_digest`."""

    @property
    def last(self) -> int:
        return self.first + len(self.losses) - 1


@dataclass(frozen=True, kw_only=True)
class Replay:
    """Losses of the steps after `start`, computed again on one worker from the checkpoint of that step."""

    start: Annotated[int, msgspec.Meta(ge=0)]
    losses: tuple[float, ...]
    """Empty if they did not fit into the memory of one worker."""


@dataclass(frozen=True, kw_only=True)
class Compilation:
    """Whether the steps after `start` used a compiled network, in a training with compiled=true."""

    start: Annotated[int, msgspec.Meta(ge=0)]
    refusal: str
    """Reason why not; empty if they did."""


_STEPS = msgspec.json.Decoder(Steps)
_REPLAY = msgspec.json.Decoder(Replay)
_COMPILATION = msgspec.json.Decoder(Compilation)


@dataclass(frozen=True)
class History:
    """The records in the work folder of one training."""

    folder: Folder

    @classmethod
    def at(cls, work: Folder) -> History:
        """The history of the training with this work folder."""
        return cls(work / HISTORY)

    def steps(self) -> list[Steps]:
        return self._read("steps", _STEPS)

    def of_another_size(self, step: int, *, workers: int) -> Steps | None:
        """The steps up to `step` if another number of workers took them."""
        return next((part for part in self.steps() if part.last == step and part.workers != workers), None)

    def replays(self) -> list[Replay]:
        return self._read("replay", _REPLAY)

    def compilations(self) -> list[Compilation]:
        return self._read("compilation", _COMPILATION)

    def write(self, record: Steps | Replay | Compilation) -> None:
        at = record.first - 1 if isinstance(record, Steps) else record.start
        kind = type(record).__name__.lower()
        self.folder.replace(f"{kind}-{at:09d}.json", msgspec.json.encode(asdict(record)))

    def rewind(self, step: int) -> None:
        """Forget what came after the checkpoint of a step, which is about to be computed again."""
        for name in self.folder.files():
            kind, _, at = name.removesuffix(".json").partition("-")
            if (kind in ("steps", "compilation") and int(at) >= step) or (kind == "replay" and int(at) > step):
                self.folder.delete(name)

    def _read(self, kind: str, decoder: msgspec.json.Decoder[T]) -> list[T]:
        found = []
        for name in sorted(name for name in self.folder.files() if name.startswith(f"{kind}-")):
            try:
                found.append(read_typed(self.folder, name, decoder))
            except (Unreadable, FileNotFoundError):
                continue
        return found


@dataclass
class Recorder:
    """Gathers the steps since the last checkpoint."""

    history: History
    workers: int
    first: int = 1
    _losses: list[float] = field(default_factory=list)
    _digests: list[int] = field(default_factory=list)

    def steps(self, losses: Sequence[float], digests: Sequence[int]) -> None:
        self._losses += losses
        self._digests += digests

    def compilation(self, step: int, verdict: Verdict) -> None:
        self.history.write(Compilation(start=step, refusal=verdict.refusal))

    def saving(self) -> None:
        if self._losses:
            losses, digests = tuple(self._losses), tuple(self._digests)
            self.history.write(Steps(first=self.first, workers=self.workers, losses=losses, digests=digests))
            self.first += len(losses)
            self._losses, self._digests = [], []
