"""Weights files in the results of stages: their names, and how they are read.

Tested in tests/stages/training/test_initial.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import PipelineError
from pipeline.folder import Folder

if TYPE_CHECKING:
    from ssd_core.weights.weights import Weights

WEIGHTS = "weights.pt"


def kept_weights(step: int) -> str:
    """Name of the weights file of a checkpoint that the recipe keeps after `step` steps."""
    return f"checkpoints/weights-{step:09d}.pt"


def place_of(path: str) -> tuple[Folder, str]:
    """Folder and name of a user's file, given by a path or a URI."""
    if "://" not in path:
        file = Path(path).expanduser().resolve()
        return Folder(str(file.parent)), file.name
    place, mark, parameters = path.partition("?")
    above, _, name = place.rpartition("/")
    return Folder.at(f"{above}{mark}{parameters}"), name


def stored_weights(folder: Folder, name: str = WEIGHTS) -> Weights:
    """Read weights that a stage wrote. Raises PipelineError that names the file when they cannot be used."""
    from ssd_core.weights.weights import load_weights

    with weights_of(f"{folder.uri}/{name}"), folder.open_whole(name) as stream:
        return load_weights(stream)


@contextmanager
def weights_of(file: object) -> Iterator[None]:
    """Turn what readers of weights raise for a file into a PipelineError that names it."""
    try:
        yield
    except ValueError as error:
        raise PipelineError(f"the weights {file} cannot be used: {error}") from error
