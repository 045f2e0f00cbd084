"""Initial weights from a backbone that torchvision trained on ImageNet, fetched by torchvision or in its cache.

Tested in tests/stages/training/test_initial.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import PipelineError
from pipeline.stage import Context, Stage
from stages.training.weight_files import WEIGHTS

if TYPE_CHECKING:
    from ssd_core.weights.weights import Weights

TORCHVISION_FILE = "vgg16-397923af.pth"
RESNET50_FILE = "resnet50-0676ba61.pth"


@dataclass(frozen=True, kw_only=True)
class ImageNetVgg16(Stage):
    """torchvision's VGG16 (IMAGENET1K_V1)."""

    kind = "weights"
    reduced: bool = True
    """fc6 and fc7 subsampled; False for the network with the full VGG16."""

    def prepare(self) -> None:
        """Fetch the file before anything starts; PipelineError says what to do where there is no network."""
        if not torchvision_cache().is_file():
            from torchvision.models import VGG16_Weights

            _fetch(VGG16_Weights.IMAGENET1K_V1, "VGG16", TORCHVISION_FILE)

    def run(self, ctx: Context) -> None:
        from ssd_core.spec.paper import ssd300, ssd300_full_vgg
        from ssd_core.weights.vgg import from_vgg16, read_vgg16

        self.prepare()  # this may be another node than the driver's
        with torchvision_cache().open("rb") as stream:
            found = read_vgg16(stream, reduced=self.reduced)
        _write(ctx, from_vgg16(found, ssd300() if self.reduced else ssd300_full_vgg()))


@dataclass(frozen=True, kw_only=True)
class ImageNetResNet50(Stage):
    """torchvision's ResNet-50 (IMAGENET1K_V1, which its own detectors start from)."""

    kind = "weights"

    def prepare(self) -> None:
        """Fetch the file before anything starts; PipelineError says what to do where there is no network."""
        if not torchvision_cache(RESNET50_FILE).is_file():
            from torchvision.models import ResNet50_Weights

            _fetch(ResNet50_Weights.IMAGENET1K_V1, "ResNet-50", RESNET50_FILE)

    def run(self, ctx: Context) -> None:
        from ssd_core.weights.named_tensors import read_named_tensors
        from ssd_core.weights.resnet import from_resnet50

        self.prepare()
        with torchvision_cache(RESNET50_FILE).open("rb") as stream:
            _write(ctx, from_resnet50(read_named_tensors(stream)))


def torchvision_cache(file: str = TORCHVISION_FILE) -> Path:
    """Where torchvision keeps a file that it fetched."""
    from torch.hub import get_dir

    return Path(get_dir()) / "checkpoints" / file


def _fetch(weights: Any, name: str, file: str) -> None:
    try:
        weights.get_state_dict(progress=True, check_hash=True)
    except OSError as error:
        raise PipelineError(
            f"the ImageNet weights of {name} are not at {torchvision_cache(file)} and could not be fetched ({error}).\n"
            f"Put {file} there, name a {name} file with --init FILE, or train with --init scratch."
        ) from error


def _write(ctx: Context, weights: Weights) -> None:
    from ssd_core.weights.weights import save_weights

    with ctx.out.open_output(WEIGHTS) as stream:
        save_weights(weights, stream)
