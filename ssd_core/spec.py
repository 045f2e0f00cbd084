"""Specification of a detector: all that fixes the network, its default boxes and its preprocessing.

SSD300 and SSD512 are values of it and every ablation is `dataclasses.replace` of one; counts such as 8732 are
computed from it. Lengths are pixels of the square network input unless a name says otherwise.
Sources: paper sections 2 and 3, examples/ssd/ssd_pascal.py, ssd_coco.py and python/caffe/model_libs.py of
weiliu89/caffe.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

from ssd_core.backbones import Backbone, ResNet50
from ssd_core.backbones import Vgg16 as Vgg16

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

    backbone: Backbone = field(default_factory=Vgg16)
    extras: tuple[ExtraLayer, ...]
    sources: tuple[Source, ...]
    norm_groups: int = 0
    """Groups of a GroupNorm after every convolution of backbone and extras; 0 is the paper: no norm."""

    l2_norm_scale: float = 20.0
    """Initial scale of the L2 normalisation of conv4_3; its features are far larger than those of later maps."""

    variances: tuple[float, float] = (0.1, 0.2)
    """Divisors of encoded centres and encoded log sizes (only in the code: prior_box_layer)."""

    clip_boxes: bool = False
    """Default boxes clamped to [0, 1] as (cx, cy, w, h), which some ports do; weights they trained want the same."""

    clip_sizes: bool = False
    """Widths and heights of default boxes clamped to 1 while centres stay, which torchvision does."""

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
        """Side of every possible source map in cells."""
        sides = self.backbone.cells(self.input_size)
        side = list(sides.values())[-1]
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


Flavour = Literal["voc", "coco"]
"""Whose objects the scales are for; those of COCO are smaller."""

_LOWEST: dict[tuple[int, Flavour], tuple[int, int]] = {
    (300, "voc"): (10, 20),
    (300, "coco"): (7, 15),
    (512, "voc"): (7, 15),
    (512, "coco"): (4, 10),
}
"""Scales of the first and of the second source in percent of the input (ssd_pascal.py, ssd_coco.py)."""


def ssd300(classes: tuple[str, ...] = VOC_CLASSES, *, scales: Flavour = "voc") -> DetectorSpec:
    """SSD300: 8732 boxes on six maps of 38, 19, 10, 5, 3 and 1 cells."""
    steps = {"conv4_3": 8, "conv7": 16, "conv8_2": 32, "conv9_2": 64, "conv10_2": 100, "conv11_2": 300}
    return DetectorSpec(
        input_size=300,
        classes=classes,
        extras=_extras(_HALVE, _HALVE, _LESS_TWO, _LESS_TWO),
        sources=_sources(300, steps, scales),
    )


def ssd512(classes: tuple[str, ...] = VOC_CLASSES, *, scales: Flavour = "voc") -> DetectorSpec:
    """SSD512: 24564 boxes on seven maps of 64, 32, 16, 8, 4, 2 and 1 cells.

    The sizes are those of the script, such as 35.84; for weights of the released code see `truncated`.
    """
    layers = ("conv4_3", "conv7", "conv8_2", "conv9_2", "conv10_2", "conv11_2", "conv12_2")
    last = (4, 1, 1)  # 2 cells to 1; only the code tells
    return DetectorSpec(
        input_size=512,
        classes=classes,
        extras=_extras(_HALVE, _HALVE, _HALVE, _HALVE, last),
        sources=_sources(512, {layer: 8 * 2**level for level, layer in enumerate(layers)}, scales),
    )


def ssd300_full_vgg(
    classes: tuple[str, ...] = VOC_CLASSES, *, scales: Flavour = "voc", seven_sources: bool = False
) -> DetectorSpec:
    """SSD300 on the full VGG16 (paper section 3.1, "Atrous is faster"; Table 2, column 4).

    The paper prints neither its boxes nor its layers above conv7, and no script of it was released. Ours is
    `with_full_vgg`, with the 8732 boxes of SSD300; or seven sources, where the scales go from 20 % to 90 % in steps
    of 14 % as the script's rule gives for seven.
    """
    spec = with_full_vgg(ssd300(classes, scales=scales))
    if not seven_sources:
        return spec
    steps = {"conv4_3": 8, "conv5_3": 16, "conv7": 32, "conv8_2": 64, "conv9_2": 100, "conv10_2": 150, "conv11_2": 300}
    extras = _extras(_HALVE, _HALVE, _HALVE, _HALVE)  # 10 cells to 5, 3, 2, 1
    return replace(spec, extras=extras, sources=_sources(300, steps, scales))


def with_full_vgg(spec: DetectorSpec) -> DetectorSpec:
    """The detector on the full VGG16, with conv5_3 as a source and the same maps and boxes.

    Each map comes from one layer earlier, so the last extra layer goes. conv5_3 is not normalised: every released
    script that normalises does it to conv4_3 only. Raises ValueError where VGG16 is full already, or is not there.
    """
    if not isinstance(spec.backbone, Vgg16) or not spec.backbone.reduced:
        raise ValueError(f"only a reduced VGG16 can be replaced by the full one, not {spec.backbone}")
    extras = tuple(
        replace(extra, kernel=after.kernel, stride=after.stride, padding=after.padding)
        for extra, after in pairwise(spec.extras)
    )
    names = [extra.name for extra in spec.extras]
    earlier = dict(zip(["conv4_3", "conv7", *names], ["conv4_3", "conv5_3", "conv7", *names], strict=False))
    return replace(
        spec,
        backbone=replace(spec.backbone, reduced=False, fc_channels=4 * spec.backbone.fc_channels, dilation=1),
        extras=extras,
        sources=tuple(replace(source, layer=earlier[source.layer]) for source in spec.sources),
    )


def with_resnet50(spec: DetectorSpec) -> DetectorSpec:
    """The detector on ResNet-50 with the same extra layers, maps and boxes, as much narrower as its VGG16 is.

    layer2 stands for conv4_3 and layer3 for conv7. No map is normalised in length: conv4_3 needs it, whose features
    are far larger than those of the maps behind it, and norms inside the network leave no such difference. Raises
    ValueError where the backbone is not a reduced VGG16.
    """
    if not isinstance(spec.backbone, Vgg16) or not spec.backbone.reduced:
        raise ValueError(f"only a reduced VGG16 can be replaced by ResNet-50, not {spec.backbone}")
    replacing = {"conv4_3": "layer2", "conv7": "layer3"}
    return replace(
        spec,
        backbone=ResNet50(width=spec.backbone.fc_channels // 16),
        sources=tuple(replace(source, layer=replacing.get(source.layer, source.layer)) for source in spec.sources),
    )


def truncated(spec: DetectorSpec) -> DetectorSpec:
    """The detector with sizes cut to whole pixels: Caffe's PriorBox holds them in an int.

    SSD300 stays as it is; the released SSD512 weights were trained with boxes of 35, 76, 153 ... pixels.
    """
    return with_scales(spec, lambda scale: replace(scale, size=int(scale.size), next_size=int(scale.next_size)))


def with_scales(spec: DetectorSpec, change: Callable[[Scale], Scale]) -> DetectorSpec:
    """The detector with every scale of its default boxes changed."""
    return replace(
        spec,
        sources=tuple(replace(source, scales=tuple(map(change, source.scales))) for source in spec.sources),
    )


_HALVE = (3, 2, 1)  # kernel, stride, padding
_LESS_TWO = (3, 1, 0)


def _extras(*shapes: tuple[int, int, int]) -> tuple[ExtraLayer, ...]:
    """conv8_2 and on: the first has 512 channels, the others half as many."""
    return tuple(
        ExtraLayer(
            name=f"conv{number}_2",
            squeeze=256 if number == 8 else 128,
            channels=512 if number == 8 else 256,
            kernel=kernel,
            stride=stride,
            padding=padding,
        )
        for number, (kernel, stride, padding) in enumerate(shapes, start=8)
    )


def _sources(input_size: int, steps: dict[str, int], flavour: Flavour) -> tuple[Source, ...]:
    """One scale per layer; four boxes in a cell of the first and the last two maps, six in the others."""
    sizes = _sizes(input_size, flavour, len(steps))
    ratios = ((2.0,), *[(2.0, 3.0)] * (len(steps) - 3), (2.0,), (2.0,))
    scales = (
        Scale(size=size, next_size=after, ratios=shape)
        for size, after, shape in zip(sizes[:-1], sizes[1:], ratios, strict=True)
    )
    return tuple(
        Source(layer=layer, step=step, scales=(scale,))
        for (layer, step), scale in zip(steps.items(), scales, strict=True)
    )


def _sizes(input_size: int, flavour: Flavour, maps: int) -> list[float]:
    """Size of each map and the next size of the last: the first apart, the others in equal steps up to 90 %."""
    first, lowest = _LOWEST[input_size, flavour]
    step = (90 - lowest) // (maps - 2)
    return [input_size * percent / 100 for percent in (first, *(lowest + step * level for level in range(maps)))]
