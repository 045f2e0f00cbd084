"""Specification of a detector: all that fixes the network, its default boxes and its preprocessing.

SSD300 is a value of it and every ablation is `dataclasses.replace` of one; counts such as 8732 are
computed from it. Lengths are pixels of the square network input unless a name says otherwise.
Sources: paper section 2, examples/ssd/ssd_pascal.py and python/caffe/model_libs.py of weiliu89/caffe.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal

VOC_CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog",
    "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Default boxes of one scale in every cell of a map; Caffe's PriorBox with one min and one max size."""

    size: float
    """Side s_k of the small square, and the scale of the oblong boxes."""

    next_size: float
    """Scale of the next map: the large square has the side sqrt(size * next_size)."""

    ratios: tuple[float, ...]
    """Width over height of the oblong boxes, each above 1; the reciprocals come by themselves."""

    large_square: bool = True

    def __post_init__(self) -> None:
        if flat := [ratio for ratio in self.ratios if ratio <= 1]:
            raise ValueError(f"ratios must be above 1 (reciprocals are added), but {self.ratios} has {flat}")
        if not 0 < self.size <= self.next_size:
            raise ValueError(f"a scale needs 0 < size <= next_size, but got {self.size} and {self.next_size}")

    @property
    def boxes_per_cell(self) -> int:
        return 1 + self.large_square + 2 * len(self.ratios)


@dataclass(frozen=True, kw_only=True)
class Source:
    """A feature map that predicts, and the boxes it tiles."""

    layer: str
    """Name in the paper: conv4_3, conv7, conv8_2 ... (conv7 is Caffe's fc7, conv8_2 its conv6_2)."""

    step: float
    """Distance of box centres; the released code's table, not input / cells (38 * 8 = 304 at 300)."""

    scales: tuple[Scale, ...]

    @property
    def boxes_per_cell(self) -> int:
        return sum(scale.boxes_per_cell for scale in self.scales)


@dataclass(frozen=True, kw_only=True)
class Vgg16:
    """VGG16 with fc6 and fc7 as convolutions, subsampled, pool5 3x3-s1 and atrous fc6 (DeepLab-LargeFOV)."""

    channels: tuple[int, int, int, int, int] = (64, 128, 256, 512, 512)
    """Of the blocks conv1 to conv5 (2, 2, 3, 3, 3 layers)."""

    fc_channels: int = 1024
    dilation: int = 6
    """Of fc6, and its padding."""


@dataclass(frozen=True, kw_only=True)
class ExtraLayer:
    """A pair of convolutions after conv7: 1x1 to `squeeze` channels, then `kernel` to `channels`."""

    name: str
    squeeze: int
    channels: int
    kernel: int = 3
    stride: int
    padding: int


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How pixels become the input; travels with the weights and is applied by the model, never by the caller."""

    channel_order: Literal["rgb", "bgr"] = "bgr"
    mean: tuple[float, float, float] = (104.0, 117.0, 123.0)
    """In 0..255, in `channel_order`."""

    std: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class DetectorSpec:
    """SSD300 for PASCAL VOC by default."""

    input_size: int
    classes: tuple[str, ...]
    """Without background, which is class 0 of the network; class c of this tuple is c + 1."""

    backbone: Vgg16 = Vgg16()
    extras: tuple[ExtraLayer, ...]
    sources: tuple[Source, ...]
    norm_groups: int = 0
    """Groups of a GroupNorm after every convolution of backbone and extras; 0 is the paper: no norm."""

    l2_norm_scale: float = 20.0
    """Initial scale of the L2 normalisation of conv4_3; its features are far larger than those of later maps."""

    variances: tuple[float, float] = (0.1, 0.2)
    """Divisors of encoded centres and encoded log sizes (only in the code: prior_box_layer)."""

    use_boundary_boxes: bool = True
    """False: in training, default boxes that cross the image border are neither matched nor mined (Table 3)."""

    preprocessing: Preprocessing = Preprocessing()

    def __post_init__(self) -> None:
        cells = self.cells()
        for source in self.sources:
            if source.layer not in cells:
                raise ValueError(f"source {source.layer!r} is not a layer of this network; it has {', '.join(cells)}")
        if not self.sources:
            raise ValueError("a detector needs at least one source layer")
        if len(set(self.classes)) != len(self.classes) or not self.classes:
            raise ValueError(f"classes must be distinct and at least one, but are {self.classes}")

    @property
    def class_count(self) -> int:
        """Outputs of the network per box: the classes and the background."""
        return len(self.classes) + 1

    def cells(self) -> dict[str, int]:
        """Side of every possible source map in cells; pooling rounds up as Caffe's (300 -> 150 -> 75 -> 38 -> 19)."""
        sides: dict[str, int] = {}
        side = ceil(ceil(ceil(self.input_size / 2) / 2) / 2)
        sides["conv4_3"] = side
        sides["conv7"] = side = ceil(side / 2)
        for extra in self.extras:
            side = (side + 2 * extra.padding - extra.kernel) // extra.stride + 1
            if side < 1:
                raise ValueError(f"input_size {self.input_size} is too small: {extra.name} would have no cells")
            sides[extra.name] = side
        return sides

    @property
    def box_count(self) -> int:
        """Default boxes of one image: 8732 for SSD300."""
        cells = self.cells()
        return sum(cells[source.layer] ** 2 * source.boxes_per_cell for source in self.sources)


def _scales(sizes: tuple[float, ...], ratios: tuple[tuple[float, ...], ...]) -> tuple[Scale, ...]:
    return tuple(
        Scale(size=size, next_size=after, ratios=shape)
        for size, after, shape in zip(sizes[:-1], sizes[1:], ratios, strict=True)
    )


def ssd300(classes: tuple[str, ...] = VOC_CLASSES) -> DetectorSpec:
    """SSD300 with the scales for VOC: conv4_3 at 10 %, then 20 % to 88 % in steps of 17 %."""
    scales = _scales((30, 60, 111, 162, 213, 264, 315), ((2,), (2, 3), (2, 3), (2, 3), (2,), (2,)))
    layers = ("conv4_3", "conv7", "conv8_2", "conv9_2", "conv10_2", "conv11_2")
    steps = (8, 16, 32, 64, 100, 300)
    return DetectorSpec(
        input_size=300,
        classes=classes,
        extras=(
            ExtraLayer(name="conv8_2", squeeze=256, channels=512, stride=2, padding=1),
            ExtraLayer(name="conv9_2", squeeze=128, channels=256, stride=2, padding=1),
            ExtraLayer(name="conv10_2", squeeze=128, channels=256, stride=1, padding=0),
            ExtraLayer(name="conv11_2", squeeze=128, channels=256, stride=1, padding=0),
        ),
        sources=tuple(
            Source(layer=layer, step=step, scales=(scale,))
            for layer, step, scale in zip(layers, steps, scales, strict=True)
        ),
    )
