"""State of a training that can go on: model, optimiser, finished steps and random state.

A checkpoint is one file that appears whole or not at all (written aside, flushed, renamed), so that the newest
file that is there can be trusted after a kill at any moment. Ray Train's own checkpoint store keeps its index
in a file that a kill can truncate and hands reports over every two seconds; hence this page.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

_NAME = re.compile(r"step-(\d+)\.pt")


@dataclass(frozen=True, kw_only=True)
class CheckpointFolder:
    """The newest two checkpoints of one training; a second one survives if the first was on a lost disk page."""

    path: Path
    keep: int = 2

    def save(self, step: int, model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        """Write the state after `step` finished steps and drop those beyond `keep`."""
        self.path.mkdir(parents=True, exist_ok=True)
        content = {
            "step": step,
            "model": model.state_dict(),
            "optimiser": optimiser.state_dict(),
            "random_state": torch.get_rng_state(),
        }
        aside = self.path / f"step-{step:09d}.pt.part"
        with aside.open("wb") as stream:
            torch.save(content, stream)
            stream.flush()
            os.fsync(stream.fileno())
        aside.rename(self.path / f"step-{step:09d}.pt")
        for old in self._files()[: -self.keep]:
            old.unlink()

    def newest_step(self) -> int:
        """Finished steps of the newest checkpoint; 0 when there is none."""
        files = self._files()
        return _step(files[-1]) if files else 0

    def restore(self, model: nn.Module, optimiser: torch.optim.Optimizer) -> int:
        """Load the newest checkpoint into both; returns its finished steps, 0 when there is none."""
        files = self._files()
        if not files:
            return 0
        content: dict[str, Any] = torch.load(files[-1], map_location="cpu", weights_only=True)
        model.load_state_dict(content["model"])
        optimiser.load_state_dict(content["optimiser"])
        torch.set_rng_state(content["random_state"])
        return int(content["step"])

    def _files(self) -> list[Path]:
        return sorted(path for path in self.path.glob("step-*.pt") if _NAME.fullmatch(path.name))


def _step(path: Path) -> int:
    match = _NAME.fullmatch(path.name)
    assert match is not None
    return int(match.group(1))
