"""Initial weights from torchvision's VGG16, downloaded by torchvision or taken from its cache.

Tested in tests/stages/training/test_initial.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.stage import Context, Stage
from stages.training.torchvision_files import fetch, torchvision_cache
from stages.training.weight_files import WEIGHTS, weights_of

TORCHVISION_VGG16 = "vgg16-397923af.pth"


@dataclass(frozen=True, kw_only=True)
class ImageNetVgg16(Stage):
    """Weights IMAGENET1K_V1."""

    kind = "weights"
    reduced: bool = True
    """Subsample fc6 and fc7; False for the network with the full VGG16."""

    def prepare(self) -> None:
        """Download the file before anything starts. Raises PipelineError, with the remedy, when there is no network."""
        if not torchvision_cache(TORCHVISION_VGG16).is_file():
            from torchvision.models import VGG16_Weights

            fetch(VGG16_Weights.IMAGENET1K_V1, "VGG16", TORCHVISION_VGG16)

    def run(self, ctx: Context) -> None:
        from ssd_core.spec.paper import ssd300, ssd300_full_vgg
        from ssd_core.weights.named_tensors import read_named_tensors
        from ssd_core.weights.vgg import from_vgg16, vgg16_weights
        from ssd_core.weights.weights import save_weights

        self.prepare()  # this node may not be the driver's
        file = torchvision_cache(TORCHVISION_VGG16)
        with weights_of(file), file.open("rb") as stream:
            found = vgg16_weights(read_named_tensors(stream), reduced=self.reduced)
            weights = from_vgg16(found, ssd300() if self.reduced else ssd300_full_vgg())
        with ctx.out.open_output(WEIGHTS) as out:
            save_weights(weights, out)
