"""Initial weights from a file of the user's: a backbone trained on ImageNet, or weights of a detector."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pipeline.errors import PipelineError
from pipeline.stage import Context, execution
from ssd_core.weights.layouts.layout import AUTODETECT, ImportChoices
from stages.shards.image_list import ImageList, ListsImages
from stages.training.weight_files import WEIGHTS

if TYPE_CHECKING:
    from ssd_core.weights.weights import Weights


@dataclass(frozen=True, kw_only=True)
class WeightsFile(ListsImages):
    """Weights of ssdpipe, a detector of another program, a VGG16, or a ResNet-50, under our names."""

    kind = "weights"
    path: str = execution("")
    choices: ImportChoices = AUTODETECT
    """What a file of another program leaves open."""

    reduced: bool = True
    """Of a VGG16 with its fully connected layers: subsample them; False for the network with the full VGG16."""

    content: str = field(init=False)
    """SHA-256 of the file: it is what counts, not the place of the file."""

    def __post_init__(self) -> None:
        """Raises PipelineError when there is no such file."""
        path = Path(self.path).expanduser().resolve()
        if not path.is_file():
            raise PipelineError(f"there is no weights file {path} (--init takes imagenet, scratch or a file)")
        with path.open("rb") as stream:
            object.__setattr__(self, "content", hashlib.file_digest(stream, "sha256").hexdigest())

    def listed_images(self) -> tuple[ImageList, ...]:
        """Those that the weights were trained on, as far as is known."""
        from stages.training.trained_images import trained_images

        return trained_images(Path(self.path).expanduser().resolve())

    def run(self, ctx: Context) -> None:
        from ssd_core.weights.weights import save_weights

        with Path(self.path).expanduser().open("rb") as stream:
            weights = read_initial_weights(stream, self.choices, reduced=self.reduced)
        with ctx.out.open_output(WEIGHTS) as out:
            save_weights(weights, out)


def read_initial_weights(stream: IO[bytes], choices: ImportChoices = AUTODETECT, *, reduced: bool = True) -> Weights:
    """Weights of ssdpipe or of another program, or a VGG16. PipelineError when the file is none of them."""
    from ssd_core.weights.any_weights import read_weights

    try:
        return read_weights(stream, choices, reduced=reduced)
    except ValueError as error:
        raise PipelineError(f"the weights cannot be used: {error}") from error
