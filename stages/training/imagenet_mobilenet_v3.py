"""Initial weights from torchvision's MobileNetV3-Large, downloaded by torchvision or taken from its cache.

Tested in tests/stages/training/test_initial.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.stage import Context, Stage
from stages.training.torchvision_files import fetch, torchvision_cache
from stages.training.weight_files import WEIGHTS, weights_of

TORCHVISION_MOBILENET_V3 = "mobilenet_v3_large-8738ca79.pth"


@dataclass(frozen=True, kw_only=True)
class ImageNetMobileNetV3(Stage):
    """Weights IMAGENET1K_V1, which torchvision's own detectors start from."""

    kind = "weights"

    def prepare(self) -> None:
        """Download the file before anything starts. Raises PipelineError, with the remedy, when there is no network."""
        if not torchvision_cache(TORCHVISION_MOBILENET_V3).is_file():
            from torchvision.models import MobileNet_V3_Large_Weights

            fetch(MobileNet_V3_Large_Weights.IMAGENET1K_V1, "MobileNetV3", TORCHVISION_MOBILENET_V3)

    def run(self, ctx: Context) -> None:
        from ssd_core.weights.mobilenet import from_mobilenet_v3
        from ssd_core.weights.named_tensors import read_named_tensors
        from ssd_core.weights.weights import save_weights

        self.prepare()  # this node may not be the driver's
        file = torchvision_cache(TORCHVISION_MOBILENET_V3)
        with weights_of(file), file.open("rb") as stream:
            weights = from_mobilenet_v3(read_named_tensors(stream))
        with ctx.out.open_output(WEIGHTS) as out:
            save_weights(weights, out)
