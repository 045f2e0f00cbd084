"""Initial weights as a stage: a backbone trained on ImageNet, by torchvision or from a file, or weights of a detector.

The result is one `weights.pt`, whatever was given.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from pipeline.errors import PipelineError
from pipeline.stage import Context, Stage, execution
from ssd_core.weights.layouts.layout import AS_FOUND, ImportChoices

TORCHVISION_FILE = "vgg16-397923af.pth"
RESNET50_FILE = "resnet50-0676ba61.pth"


@dataclass(frozen=True, kw_only=True)
class ImageNetVgg16(Stage):
    """torchvision's VGG16 (IMAGENET1K_V1); fetched by torchvision, or already in its cache."""

    kind = "weights"
    reduced: bool = True
    """fc6 and fc7 subsampled; False for the network with the full VGG16."""

    def prepare(self) -> None:
        """Fetch the file before anything starts; PipelineError says what to do where there is no network."""
        if not torchvision_cache().is_file():
            from torchvision.models import VGG16_Weights

            _fetch(VGG16_Weights.IMAGENET1K_V1, "VGG16", TORCHVISION_FILE)

    def run(self, ctx: Context) -> None:
        self.prepare()  # this may be another node than the driver's
        with torchvision_cache().open("rb") as stream:
            _write(ctx, stream, AS_FOUND, reduced=self.reduced)


@dataclass(frozen=True, kw_only=True)
class ImageNetResNet50(Stage):
    """torchvision's ResNet-50 (IMAGENET1K_V1, which its own detectors start from), fetched or in its cache."""

    kind = "weights"

    def prepare(self) -> None:
        """Fetch the file before anything starts; PipelineError says what to do where there is no network."""
        if not torchvision_cache(RESNET50_FILE).is_file():
            from torchvision.models import ResNet50_Weights

            _fetch(ResNet50_Weights.IMAGENET1K_V1, "ResNet-50", RESNET50_FILE)

    def run(self, ctx: Context) -> None:
        self.prepare()
        with torchvision_cache(RESNET50_FILE).open("rb") as stream:
            _write(ctx, stream, AS_FOUND)


@dataclass(frozen=True, kw_only=True)
class WeightsFile(Stage):
    """A file of the user's: weights of ssdpipe, a detector of another program, a VGG16, or a ResNet-50."""

    kind = "weights"
    path: str = execution("")
    choices: ImportChoices = AS_FOUND
    """What a file of another program does not tell."""

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

    def run(self, ctx: Context) -> None:
        with Path(self.path).expanduser().open("rb") as stream:
            _write(ctx, stream, self.choices, reduced=self.reduced)


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


def _write(ctx: Context, stream: IO[bytes], choices: ImportChoices, *, reduced: bool = True) -> None:
    from stages.training.initial_weights import write_initial_weights

    write_initial_weights(ctx, stream, choices, reduced=reduced)
