"""State of a training that can go on: model, optimiser, finished steps and random state.

A checkpoint is one file that appears whole or not at all (written aside, then renamed), so that a kill at any
moment leaves the newest one whole. Where the machine itself goes down, its last bytes may not have reached the
disk: its checksum tells, and the one before it is there. Ray Train's own checkpoint store keeps its index in a
file that a kill can truncate and takes reports over every two seconds only; hence this page.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass, field
from typing import Any

import torch
from pyarrow import fs
from torch import nn

from ssd_core.weights.tensor_file import read_tensors

_NAME = re.compile(r"step-(\d{9})\.pt")


@dataclass(frozen=True, kw_only=True)
class CheckpointFolder:
    """The newest checkpoints of one training, and those at chosen steps."""

    path: str
    filesystem: fs.FileSystem = field(default_factory=fs.LocalFileSystem)
    newest: int = 2
    """How many of the newest are kept."""

    every: int = 0
    """Checkpoints at multiples of this step are kept for good (validation reads them); 0 keeps none."""

    def save(self, step: int, model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        """Write the state after `step` finished steps and drop those no longer kept."""
        content = {
            "step": step,
            "model": model.state_dict(),
            "optimiser": optimiser.state_dict(),
            "random_state": torch.get_rng_state(),
        }
        buffer = io.BytesIO()
        torch.save(content, buffer)
        self.filesystem.create_dir(self.path, recursive=True)
        aside = f"{self.path}/{_name(step)}.part"
        with self.filesystem.open_output_stream(aside) as stream:
            stream.write(buffer.getbuffer())
        self.filesystem.move(aside, f"{self.path}/{_name(step)}")
        self._drop_others(step)

    def steps(self) -> list[int]:
        """Finished steps of the checkpoints that are there, rising."""
        matches = (_NAME.fullmatch(name) for name in self._names())
        return sorted(int(match.group(1)) for match in matches if match)

    def newest_step(self) -> int:
        """Finished steps of the newest whole checkpoint; 0 when there is none."""
        return next((step for step in reversed(self.steps()) if self._is_whole(step)), 0)

    def read(self, step: int) -> dict[str, Any]:
        """`step`, `model`, `optimiser` and `random_state`, on the CPU."""
        with self.filesystem.open_input_file(f"{self.path}/{_name(step)}") as stream:
            content: dict[str, Any] = read_tensors(stream)
        return content

    def restore(self, step: int, model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        """Load the checkpoint of a step into both."""
        content = self.read(step)
        model.load_state_dict(content["model"])
        optimiser.load_state_dict(content["optimiser"])
        torch.set_rng_state(content["random_state"])

    def _is_whole(self, step: int) -> bool:
        try:
            with self.filesystem.open_input_file(f"{self.path}/{_name(step)}") as stream:
                return zipfile.ZipFile(stream).testzip() is None  # the format of `torch.save`, with checksums
        except (zipfile.BadZipFile, ValueError):  # the latter when it is too short to be looked into
            return False

    def _drop_others(self, saved: int) -> None:
        """Drop what is no longer kept, what was half written, and what lies ahead of `saved`: it was not whole."""
        past = [step for step in self.steps() if step <= saved]
        kept = {_name(step) for step in past if step in past[-self.newest :] or (self.every and step % self.every == 0)}
        for name in self._names():
            if name not in kept:
                self.filesystem.delete_file(f"{self.path}/{name}")

    def _names(self) -> list[str]:
        selector = fs.FileSelector(self.path, allow_not_found=True)
        return [
            info.base_name for info in self.filesystem.get_file_info(selector) if info.base_name.startswith("step-")
        ]


def _name(step: int) -> str:
    return f"step-{step:09d}.pt"
