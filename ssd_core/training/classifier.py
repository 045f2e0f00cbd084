"""Training of a backbone as a classifier of images, whose layers are then the initial weights of detectors.

All of the paper's detectors are fine-tuned from a VGG16 that was trained so, on ImageNet (section 3).
Letters: B images, S their side, C classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.nn import functional

from ssd_core.backbones.layers import initialise
from ssd_core.network.feature_blueprint import layer_widths
from ssd_core.network.model import Preprocess, feature_layers
from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.schedule import Schedule
from ssd_core.training.optimiser import build_optimiser, set_learning_rate

LabelledImages = tuple[UInt8[Tensor, "B 3 S S"], Int[Tensor, " B"]]


def backbone_alone(spec: DetectorSpec) -> DetectorSpec:
    """Return the detector without extra layers, which predicts from the last map of its backbone alone."""
    *_, last = spec.backbone.widths()
    return replace(spec, extras=(), sources=(replace(spec.sources[0], layer=last),))


class Classifier(nn.Module):
    """The backbone of a detector, the mean over its last map, and a linear layer."""

    def __init__(self, spec: DetectorSpec, classes: int, generator: torch.Generator) -> None:
        super().__init__()
        spec = backbone_alone(spec)
        self.preprocess = Preprocess(spec.preprocessing)
        self.features = feature_layers(spec)
        self.scores = nn.Conv2d(layer_widths(spec)[spec.sources[0].layer], classes, kernel_size=1)
        initialise(self, generator)

    def forward(self, images: UInt8[Tensor, "B 3 S S"]) -> Float[Tensor, "B C"]:
        features = self.preprocess(images)
        for part in self.features.values():
            features = part(features)
        scores: Tensor = self.scores(features.mean((2, 3), keepdim=True))
        return scores.flatten(1)

    def backbone_state(self) -> dict[str, Tensor]:
        """Tensors of the backbone under their names in a detector."""
        return {name: tensor for name, tensor in self.state_dict().items() if name.startswith("features.")}


def train_classifier(
    classifier: Classifier,
    batches: Iterable[LabelledImages],
    schedule: Schedule,
    progress: Callable[[int, float], None],
) -> None:
    """Train with AdamW on the batches; `progress` receives the number of steps taken and the loss of the last."""
    optimiser = build_optimiser(classifier.train(), "adamw")
    for step, (images, labels) in zip(range(schedule.iterations), batches, strict=False):
        set_learning_rate(optimiser, schedule.learning_rate(step))
        loss = functional.cross_entropy(classifier(images), labels)
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()
        progress(step + 1, loss.item())


@torch.no_grad()
def accuracy(classifier: Classifier, batches: Iterable[LabelledImages]) -> float:
    """Share of images whose class gets the highest score."""
    classifier.eval()
    right = [classifier(images).argmax(1) == labels for images, labels in batches]
    return float(torch.cat(right).float().mean())
