"""What is fuzzed: a reader as a command reaches it, with sound files that the project draws itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

Harmless = Callable[[bytes, Random], bytes]
"""Rewrites a file so that it means the same: other order, blanks, compression."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A sound file, and what reads it."""

    content: bytes
    read: Callable[[bytes], Any]
    """What the user's command does with a file of this content. May raise PipelineError and nothing else."""

    answer: Callable[[bytes], Any] | None = None
    """What is read, as values that can be compared; by default what `read` returns."""

    def meaning(self, content: bytes) -> Any:
        return (self.answer or self.read)(content)


@dataclass(frozen=True, kw_only=True)
class Target:
    """One reader."""

    name: str
    cases: Callable[[Random, Path], Sequence[Case]]
    """Draws sound files below a folder, which belongs to the target."""

    harmless: Harmless | None = None
    """None where no rewriting keeps the meaning."""
