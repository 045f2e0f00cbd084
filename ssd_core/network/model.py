"""The detector: from images to encoded locations and class scores for every default box (paper section 2.1).

Callers pass RGB images in 0..255 at the input size; channel order, mean and scale are applied here, since they belong
to the weights. Boxes are in the order of `default_boxes`. Letters: B images, S input size, K default boxes, C classes
with background as class 0.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from ssd_core.backbones.layers import L2Norm, build_layers, initialise
from ssd_core.boxes.default_boxes import default_boxes
from ssd_core.network.feature_blueprint import extra_blueprints, layer_widths, up_to_last_source
from ssd_core.spec.detector import DetectorSpec, Preprocessing


class Preprocess(nn.Module):
    """Convert RGB in 0..255 to the input that the weights expect."""

    mean: Tensor
    std: Tensor

    def __init__(self, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.swap = preprocessing.channel_order == "bgr"
        self.register_buffer("mean", torch.tensor(preprocessing.mean)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(preprocessing.std)[:, None, None], persistent=False)

    def forward(self, images: Shaped[Tensor, "B 3 S S"]) -> Float[Tensor, "B 3 S S"]:
        images = images.flip(1) if self.swap else images
        return (images - self.mean) / self.std


class Head(nn.Module):
    """3x3 convolutions that predict locations and class scores for the boxes of one source."""

    def __init__(self, channels: int, boxes_per_cell: int, class_count: int) -> None:
        super().__init__()
        self.locations = nn.Conv2d(channels, boxes_per_cell * 4, kernel_size=3, padding=1)
        self.logits = nn.Conv2d(channels, boxes_per_cell * class_count, kernel_size=3, padding=1)
        self.class_count = class_count

    def forward(self, features: Float[Tensor, "B D H W"]) -> tuple[Float[Tensor, "B k 4"], Float[Tensor, "B k C"]]:
        locations = self.locations(features).permute(0, 2, 3, 1).flatten(1).unflatten(1, (-1, 4))
        logits = self.logits(features).permute(0, 2, 3, 1).flatten(1).unflatten(1, (-1, self.class_count))
        return locations, logits


class Detector(nn.Module):
    """The SSD that a specification describes; layers above the last source are not built."""

    default_boxes: Tensor
    """(K, 4) cxcywh, fractions of the input; not in the state dict, since they follow from the specification."""

    def __init__(self, spec: DetectorSpec, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.spec = spec
        self.preprocess = Preprocess(spec.preprocessing)
        self.features = feature_layers(spec)
        widths = layer_widths(spec)
        self.l2_norm = L2Norm(widths["conv4_3"], spec.l2_norm_scale) if "conv4_3" in _source_layers(spec) else None
        self.heads = nn.ModuleDict(
            {
                source.layer: Head(widths[source.layer], source.boxes_per_cell, spec.class_count)
                for source in spec.sources
            }
        )
        initialise(self, generator)
        self.register_buffer("default_boxes", default_boxes(spec), persistent=False)

    def forward(self, images: Shaped[Tensor, "B 3 S S"]) -> tuple[Float[Tensor, "B K 4"], Float[Tensor, "B K C"]]:
        """Return encoded locations and logits; images are RGB in 0..255, uint8 or floating point."""
        if images.shape[1:] != (3, self.spec.input_size, self.spec.input_size):
            size = self.spec.input_size
            raise ValueError(f"images must be (B, 3, {size}, {size}), but are {tuple(images.shape)}: resize them first")
        features = self.preprocess(images)
        predictions = {}
        for layer, part in self.features.items():
            features = part(features)
            if layer in self.heads:
                # pool4 reads the unnormalised map; only the head sees it normalised
                source = self.l2_norm(features) if layer == "conv4_3" and self.l2_norm else features
                predictions[layer] = self.heads[layer](source)
        locations, logits = zip(*(predictions[layer] for layer in _source_layers(self.spec)), strict=True)
        return torch.cat(locations, dim=1), torch.cat(logits, dim=1)


def feature_layers(spec: DetectorSpec) -> nn.ModuleDict:
    """Return the network split after each possible source map, up to the last source; keys are layer names."""
    parts = spec.backbone.parts(spec.norm_groups)
    for name, blueprint in extra_blueprints(spec).items():
        parts[name] = build_layers(blueprint, spec.norm_groups)
    return nn.ModuleDict(up_to_last_source(spec, parts))


def _source_layers(spec: DetectorSpec) -> list[str]:
    return [source.layer for source in spec.sources]


def parameter_shapes(spec: DetectorSpec) -> dict[str, torch.Size]:
    """Return the names and shapes of the tensors of a detector, without allocating them."""
    with torch.device("meta"):
        return {name: tensor.shape for name, tensor in Detector(spec).state_dict().items()}
