"""Layouts of other programs' weights files: tensor names, and settings that belong to the weights.

Each layout is a file of this package. Tensors are (out, in, height, width) in all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.paper import Flavour

LayoutName = Literal["torchvision", "amdegroot", "lufficc", "caffe", "chainercv"]

RGB_MEAN = (123.0, 117.0, 104.0)
"""Caffe's means, for weights whose conv1_1 was converted to RGB."""

VGG_PLACES = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
"""Indices of conv1_1 to conv5_3 in the layer list of torchvision's VGG16, which ports share."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Tensor names of one program, and the settings its weights were trained with."""

    name: LayoutName
    layers: Callable[[int], tuple[str, ...]]
    """Names of the convolutions, given the number of sources, in this project's order: conv1_1 to conv7, conv8_1 to the
    last map, locations of every source, scores of every source."""

    l2_norm: str
    """Name of the tensor that scales conv4_3."""

    weight: str = "weight"
    bias: str = "bias"
    separator: str = "."
    location_order: tuple[int, int, int, int] = (0, 1, 2, 3)
    """Indices of cx, cy, w and h among the program's four location channels."""

    as_trained: Callable[[DetectorSpec], DetectorSpec]
    """Return the specification with the program's preprocessing, clipping and box sizes."""

    scales: Flavour | None = None
    """Scales of all the program's detectors; None: inferred from the classes unless ImportChoices names them."""

    rows: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    """By number of outputs: the outputs for background and the classes, if the others are unused."""


@dataclass(frozen=True, kw_only=True)
class ImportChoices:
    """Settings that a file of another program lacks or that override what is inferred from it."""

    layout: LayoutName | None = None
    """None: detected from the tensor names."""

    classes: tuple[str, ...] = ()
    """Without background, in the order of the file's outputs; empty: VOC's or COCO's, by their number."""

    scales: Flavour | None = None
    """None: the layout's, or inferred from the classes. Detectors fine-tuned from COCO keep COCO's."""

    clip_boxes: bool | None = None
    """None: the layout's. A port that converted Caffe's weights runs them with its own clipping."""


AUTODETECT = ImportChoices()
