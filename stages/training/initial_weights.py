"""Reading of weight files in the layouts that a training can start from.

Tested in tests/stages/training/test_initial.py.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from pipeline.errors import PipelineError
from ssd_core.weights.any_weights import read_weights
from ssd_core.weights.layouts.layout import AS_FOUND, ImportChoices
from ssd_core.weights.weights import Weights, save_weights

if TYPE_CHECKING:
    from pipeline.stage import Context


def write_initial_weights(
    ctx: Context, stream: IO[bytes], choices: ImportChoices = AS_FOUND, *, reduced: bool = True
) -> None:
    """Write the tensors of a file, under our names, as `weights.pt`."""
    weights = read_initial_weights(stream, choices, reduced=reduced)
    with ctx.out.open_output("weights.pt") as out:
        save_weights(weights, out)


def read_initial_weights(stream: IO[bytes], choices: ImportChoices = AS_FOUND, *, reduced: bool = True) -> Weights:
    """Weights of ssdpipe or of another program, or a VGG16. PipelineError when the file is none of them."""
    try:
        return read_weights(stream, choices, reduced=reduced)
    except ValueError as error:
        raise PipelineError(f"the weights cannot be used: {error}") from error
