"""Reading of weight files in the layouts that a training can start from."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from pipeline.errors import PipelineError
from ssd_core.initial import from_vgg16
from ssd_core.spec import ssd300, ssd300_full_vgg
from ssd_core.vgg_weights import read_vgg16
from ssd_core.weights import Weights, load_weights, save_weights

if TYPE_CHECKING:
    from pipeline.context import Context


def write_initial_weights(ctx: Context, stream: IO[bytes], *, reduced: bool = True) -> None:
    """Write the tensors of a file, under our names, as `weights.pt`."""
    with ctx.out.open_output("weights.pt") as out:
        save_weights(read_initial_weights(stream, reduced=reduced), out)


def read_initial_weights(stream: IO[bytes], *, reduced: bool = True) -> Weights:
    """Weights of ssdpipe, or a VGG16. PipelineError names what was expected when the file is neither."""
    try:
        return load_weights(stream)
    except ValueError as not_ours:
        stream.seek(0)
        try:
            return from_vgg16(read_vgg16(stream, reduced=reduced), ssd300() if reduced else ssd300_full_vgg())
        except ValueError as error:
            raise PipelineError(
                f"the initial weights are neither those of a detector ({not_ours}) nor a VGG16 ({error})"
            ) from error
