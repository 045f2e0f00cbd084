"""Initial weights from a user's file: a backbone trained on ImageNet, or a detector."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.errors import PipelineError
from pipeline.stage import Context, execution
from pipeline.store.integrity import sha256_of
from ssd_core.weights.layouts.layout import AUTODETECT, ImportChoices
from stages.shards.image_list import ImageList, ListsImages
from stages.training.weight_files import WEIGHTS, place_of, weights_of


@dataclass(frozen=True, kw_only=True)
class WeightsFile(ListsImages):
    """Weights of ssdpipe, another program's detector or a backbone of torchvision, converted to ssdpipe's layout."""

    kind = "weights"
    path: str = execution("")
    choices: ImportChoices = AUTODETECT
    """Settings that a file of another program does not state."""

    reduced: bool = True
    """Subsample the fully connected layers of a VGG16 file; False for the network with the full VGG16."""

    content: str = field(init=False)
    """SHA-256 of the file: part of the key, unlike its path."""

    def __post_init__(self) -> None:
        """Raises PipelineError when the file does not exist."""
        folder, name = place_of(self.path)
        if not folder.is_file(name):
            raise PipelineError(
                f"there is no weights file {folder.place(name)} (--init takes imagenet, scratch or a file)"
            )
        object.__setattr__(self, "content", sha256_of(folder, name))

    def listed_images(self) -> tuple[ImageList, ...]:
        """Images that the weights were trained on, as far as they are known."""
        from stages.training.trained_images import trained_images

        folder, _ = place_of(self.path)
        return trained_images(folder)

    def run(self, ctx: Context) -> None:
        from ssd_core.weights.any_weights import read_weights
        from ssd_core.weights.weights import save_weights

        folder, name = place_of(self.path)
        with weights_of(folder.place(name)), folder.open_whole(name) as stream:
            weights = read_weights(stream, self.choices, reduced=self.reduced)
        with ctx.out.open_output(WEIGHTS) as out:
            save_weights(weights, out)
