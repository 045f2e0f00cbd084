"""What the importer must know of another program's files: its names, and what travels with its weights.

A layout is one file of this package. Tensors are (out, in, height, width) in all of them; what differs is told here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.paper import Flavour

LayoutName = Literal["torchvision", "amdegroot", "lufficc", "caffe", "chainercv"]

RGB_MEAN = (123.0, 117.0, 104.0)
"""Caffe's means for weights whose conv1_1 was turned to RGB."""

VGG_PLACES = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
"""Of conv1_1 to conv5_3 in the layer list of torchvision's VGG16, which ports share."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Names of one program, and how it trained what bears them."""

    name: LayoutName
    layers: Callable[[int], tuple[str, ...]]
    """Names of the convolutions for a number of source maps, in the order of ours: conv1_1 to conv7, conv8_1 to the
    last map, locations of every map, scores of every map."""

    l2_norm: str
    """Name of the tensor that scales conv4_3."""

    weight: str = "weight"
    bias: str = "bias"
    separator: str = "."
    location_order: tuple[int, int, int, int] = (0, 1, 2, 3)
    """Where cx, cy, w and h stand in four channels of theirs."""

    as_trained: Callable[[DetectorSpec], DetectorSpec]
    """The specification with their preprocessing, clipping and box sizes."""

    scales: Flavour | None = None
    """Of all their detectors; None: they go with the classes, as long as nobody says otherwise."""

    rows: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    """By their number of outputs: the ones that stand for background and our classes, where others are unused."""


@dataclass(frozen=True, kw_only=True)
class ImportChoices:
    """What a file of another program does not tell, or tells wrongly."""

    layout: LayoutName | None = None
    """None: the one whose names the file has."""

    classes: tuple[str, ...] = ()
    """Without background, in the order of the file's outputs; empty: VOC's or COCO's by their number."""

    scales: Flavour | None = None
    """None: the layout's, or those that go with the classes. Detectors fine-tuned from COCO keep COCO's."""

    clip_boxes: bool | None = None
    """None: the layout's. A port that took over Caffe's weights runs them with its own clipping."""


AS_FOUND = ImportChoices()
