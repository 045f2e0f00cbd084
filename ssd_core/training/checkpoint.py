"""State from which a training resumes: model, optimiser, finished steps, random state, and averages if it has any.

A checkpoint is one file, written under a temporary name and then renamed (on S3, where a write is atomic, at once), so
that a kill at any moment leaves the newest one intact. If the machine itself crashes, its last bytes may not have
reached the disk: the checksums detect that, and the checkpoint before it is used. Ray Train's own checkpoint store
keeps its index in a file that a kill can truncate, and processes reports only every two seconds; hence this module.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import torch
from pyarrow import fs
from torch import Tensor, nn

from ssd_core.training.averaging import WeightAverage
from ssd_core.weights.soundness import any_error_as
from ssd_core.weights.tensor_file import read_tensors

_NAME = re.compile(r"step-(\d{9})\.pt")


@dataclass(frozen=True, kw_only=True)
class CheckpointFolder:
    """Folder with the newest checkpoints of one training, and those kept at multiples of `every`."""

    path: str
    filesystem: fs.FileSystem = field(default_factory=fs.LocalFileSystem)
    newest: int = 2
    """Number of newest checkpoints to keep."""

    every: int = 0
    """Keep checkpoints at multiples of this step permanently (validation reads them); 0 keeps none."""

    delete: Callable[[str], None] | None = None
    """How a file is deleted by its name; pyarrow leaves markers of folders on S3."""

    def save(
        self, step: int, model: nn.Module, optimiser: torch.optim.Optimizer, average: WeightAverage | None = None
    ) -> None:
        """Write the state after `step` finished steps and delete checkpoints no longer kept."""
        content = {
            "step": step,
            "model": model.state_dict(),
            "optimiser": optimiser.state_dict(),
            "random_state": torch.get_rng_state(),
        }
        if average:
            content["average"] = average.state()
        buffer = io.BytesIO()
        torch.save(content, buffer)
        self._write(_name(step), buffer.getbuffer())
        self._delete_others(step)

    def steps(self) -> list[int]:
        """Return the steps of the existing checkpoints, ascending."""
        matches = (_NAME.fullmatch(name) for name in self._names())
        return sorted(int(match.group(1)) for match in matches if match)

    def newest_step(self) -> int:
        """Return the step of the newest intact checkpoint; 0 if there is none."""
        return next((step for step in reversed(self.steps()) if self._is_whole(step)), 0)

    def read(self, step: int) -> dict[str, Any]:
        """Return `step`, `model`, `optimiser`, `random_state` and, if there is one, `average`, on the CPU."""
        with self._opened(step) as stream:
            content: dict[str, Any] = read_tensors(stream)
        return content

    def weights(self, step: int) -> dict[str, Tensor]:
        """Return the state of the detector to evaluate: the averages where the training has them."""
        content = self.read(step)
        state: dict[str, Tensor] = content.get("average", content["model"])
        return state

    def restore(
        self, step: int, model: nn.Module, optimiser: torch.optim.Optimizer, average: WeightAverage | None = None
    ) -> None:
        """Load the checkpoint of a step into model, optimiser and torch's random state. Raises ValueError if it cannot.

        Whether the optimiser is fused depends on the device of this process, not of the one that saved.
        """
        content = self.read(step)
        with any_error_as(f"{self.path}/{_name(step)} is no checkpoint of this training; delete it to resume earlier"):
            model.load_state_dict(content["model"])
            for saved, group in zip(content["optimiser"]["param_groups"], optimiser.param_groups, strict=True):
                saved["fused"] = group["fused"]
            optimiser.load_state_dict(content["optimiser"])
            torch.set_rng_state(content["random_state"])
            if average:
                average.load(content["average"])

    def _write(self, name: str, content: memoryview) -> None:
        if self.filesystem.type_name == "s3":  # a write is atomic, and there are no folders
            with self.filesystem.open_output_stream(f"{self.path}/{name}") as stream:
                stream.write(content)
            return
        self.filesystem.create_dir(self.path, recursive=True)
        temporary = f"{self.path}/{name}.part"
        try:
            with self.filesystem.open_output_stream(temporary) as stream:
                stream.write(content)
            self.filesystem.move(temporary, f"{self.path}/{name}")
        except OSError:
            with suppress(OSError):
                self.filesystem.delete_file(temporary)
            raise

    def _is_whole(self, step: int) -> bool:
        try:
            with self._opened(step) as stream:
                return zipfile.ZipFile(stream).testzip() is None  # the format of `torch.save`, with checksums
        except OSError:
            raise
        except Exception:  # a damaged directory makes zipfile raise errors of many types
            return False

    def _delete_others(self, saved: int) -> None:
        """Delete checkpoints no longer kept, partial files, and steps after `saved`, which were not intact."""
        past = [step for step in self.steps() if step <= saved]
        kept = {_name(step) for step in past if step in past[-self.newest :] or (self.every and step % self.every == 0)}
        for name in self._names():
            if name not in kept:
                (self.delete or self._delete)(name)

    def _opened(self, step: int) -> Any:
        """A checkpoint as a seekable stream; from S3 it is read at once, since each small read is a request there."""
        stream = self.filesystem.open_input_file(f"{self.path}/{_name(step)}")
        if self.filesystem.type_name != "s3":
            return stream
        with stream:
            return io.BytesIO(stream.read())

    def _delete(self, name: str) -> None:
        self.filesystem.delete_file(f"{self.path}/{name}")

    def _names(self) -> list[str]:
        selector = fs.FileSelector(self.path, allow_not_found=True)
        return [
            info.base_name for info in self.filesystem.get_file_info(selector) if info.base_name.startswith("step-")
        ]


def _name(step: int) -> str:
    return f"step-{step:09d}.pt"
