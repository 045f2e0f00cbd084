"""Specification of a detector: everything that determines the network, its default boxes and its preprocessing.

SSD300 and SSD512 are instances (`ssd_core.spec.paper`), and every ablation is a `dataclasses.replace` of one; counts
such as 8732 are computed from it. Lengths are pixels of the square network input unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import gcd
from typing import Literal

from ssd_core.backbones.backbone import Backbone
from ssd_core.backbones.backbone import Vgg16 as Vgg16


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Default boxes of one scale in every cell of a map: Caffe's PriorBox with one min_size and one max_size."""

    size: float
    """Side s_k of the small square; also the scale of the rectangular boxes."""

    next_size: float
    """Scale of the next map: the side of the large square is sqrt(size * next_size)."""

    ratios: tuple[float, ...]
    """Width over height of the rectangular boxes, each above 1; reciprocals are added automatically."""

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
    """A source layer: a feature map that boxes are predicted from, and the default boxes tiled over it."""

    layer: str
    """Name in the paper: conv4_3, conv7, conv8_2 ... (conv7 is Caffe's fc7, conv8_2 its conv6_2)."""

    step: float
    """Distance between box centres; from the released code's table, not input / cells (38 * 8 = 304 at 300)."""

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
    """How pixels become the network's input; stored with the weights and applied by the model, never by the caller."""

    channel_order: Literal["rgb", "bgr"] = "bgr"
    mean: tuple[float, float, float] = (104.0, 117.0, 123.0)
    """Values in 0..255, in `channel_order`."""

    std: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class DetectorSpec:
    """Specification of a detector; see `ssd_core.spec.paper` for the paper's."""

    input_size: int
    classes: tuple[str, ...]
    """Without background, which is class 0 of the network; entry c of this tuple is the network's class c + 1."""

    backbone: Backbone = field(default_factory=Vgg16)
    extras: tuple[ExtraLayer, ...]
    sources: tuple[Source, ...]
    norm_groups: int = 0
    """Groups of the GroupNorm after every convolution of backbone and extras; 0, as in the paper: no GroupNorm."""

    l2_norm_scale: float = 20.0
    """Initial scale of the L2 normalisation of conv4_3, whose features are far larger than those of later maps."""

    variances: tuple[float, float] = (0.1, 0.2)
    """Divisors of the encoded centres and log sizes (only in the code: prior_box_layer)."""

    clip_boxes: bool = False
    """Clamp default boxes to [0, 1] as (cx, cy, w, h), as some ports do; weights trained that way need the same."""

    clip_sizes: bool = False
    """Clamp widths and heights of default boxes to 1 and leave their centres, as torchvision does."""

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
        _check_norm_groups(self.norm_groups, dict(self._convolutions()))

    @property
    def class_count(self) -> int:
        """Outputs of the network per box: the classes plus background."""
        return len(self.classes) + 1

    def cells(self) -> dict[str, int]:
        """Side of every possible source map, in cells."""
        sides = self.backbone.cells(self.input_size)
        side = list(sides.values())[-1]
        for extra in self.extras:
            side = (side + 2 * extra.padding - extra.kernel) // extra.stride + 1
            if side < 1:
                raise ValueError(f"input_size {self.input_size} is too small: {extra.name} would have no cells")
            sides[extra.name] = side
        return sides

    def _convolutions(self) -> Iterator[tuple[str, int]]:
        """Name and channels of every convolution below the heads, as far as the backbone states them."""
        yield from self.backbone.normed_widths().items()
        for extra in self.extras:
            yield f"{extra.name} (squeeze)", extra.squeeze
            yield extra.name, extra.channels

    @property
    def box_count(self) -> int:
        """Number of default boxes in one image: 8732 for SSD300."""
        cells = self.cells()
        return sum(cells[source.layer] ** 2 * source.boxes_per_cell for source in self.sources)


def _check_norm_groups(groups: int, channels: dict[str, int]) -> None:
    """Raise ValueError unless a GroupNorm with `groups` groups can follow every convolution."""
    if groups < 0:
        raise ValueError(f"norm_groups must be at least 0, but is {groups}")
    if not groups or not (uneven := [name for name, width in channels.items() if width % groups]):
        return
    first = uneven[0]
    raise ValueError(
        f"norm_groups={groups} does not divide the channels of {len(uneven)} of {len(channels)} convolutions, "
        f"such as the {channels[first]} of {first}: take a divisor of {gcd(*channels.values())}, or 0 for no GroupNorm"
    )
