"""The paper's detectors as specifications, and functions that vary them.

Sources: paper sections 2 and 3, examples/ssd/ssd_pascal.py, ssd_coco.py and python/caffe/model_libs.py of
weiliu89/caffe. Lengths are pixels of the network input.

Tested in tests/ssd_core/spec/test_detector.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Literal

from ssd_core.backbones.backbone import Backbone, MobileNetV3, ResNet50, Vgg16
from ssd_core.spec.detector import DetectorSpec, ExtraLayer, Scale, Source
from ssd_core.spec.vocabularies import VOC_CLASSES

Flavour = Literal["voc", "coco"]
"""Data set whose objects the scales suit; COCO's are smaller."""

_LOWEST: dict[tuple[int, Flavour], tuple[int, int]] = {
    (300, "voc"): (10, 20),
    (300, "coco"): (7, 15),
    (512, "voc"): (7, 15),
    (512, "coco"): (4, 10),
}
"""Scales of the first and second source, in percent of the input (ssd_pascal.py, ssd_coco.py)."""


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

    Sizes follow the script, such as 35.84; for weights trained by the released code see `truncated`.
    """
    layers = ("conv4_3", "conv7", "conv8_2", "conv9_2", "conv10_2", "conv11_2", "conv12_2")
    last = (4, 1, 1)  # 2 cells to 1; only in the code
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

    The paper specifies neither its boxes nor its layers above conv7, and no script for it was released. This project
    uses `with_full_vgg`, with the 8732 boxes of SSD300; or seven sources, with scales from 20 % to 90 % in steps of
    14 %, the result of the script's rule for seven.
    """
    spec = with_full_vgg(ssd300(classes, scales=scales))
    if not seven_sources:
        return spec
    steps = {"conv4_3": 8, "conv5_3": 16, "conv7": 32, "conv8_2": 64, "conv9_2": 100, "conv10_2": 150, "conv11_2": 300}
    extras = _extras(_HALVE, _HALVE, _HALVE, _HALVE)  # 10 cells to 5, 3, 2, 1
    return replace(spec, extras=extras, sources=_sources(300, steps, scales))


def with_full_vgg(spec: DetectorSpec) -> DetectorSpec:
    """Return the detector on the full VGG16, with conv5_3 as a source and the same maps and boxes.

    Each map comes from one layer earlier, so the last extra layer is removed. conv5_3 is not normalised: the released
    scripts normalise conv4_3 only. Raises ValueError if the backbone is not a reduced VGG16.
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
    """Return the detector on a ResNet-50 as narrow as its VGG16, with the same extra layers, maps and boxes.

    layer2 replaces conv4_3 and layer3 replaces conv7. No map is L2-normalised: conv4_3 needs it because its features
    are far larger than those of later maps, and norms inside the network remove that difference. Raises ValueError if
    the backbone is not a reduced VGG16.
    """
    return _with_backbone(spec, ResNet50(width=_fc_channels(spec, "ResNet-50") // 16), "layer2", "layer3")


def with_mobilenet_v3(spec: DetectorSpec) -> DetectorSpec:
    """Return the detector on a MobileNetV3-Large, with the same extra layers, maps and boxes, none L2-normalised.

    expansion7 replaces conv4_3 and expansion13 replaces conv7. A detector with narrower maps than SSD300 gets one of
    half the width: of fewer channels, those of its first layers could no longer be normalised in 8 groups of several.
    Raises ValueError if the backbone is not a reduced VGG16.
    """
    width = 1.0 if _fc_channels(spec, "MobileNetV3") >= 1024 else 0.5
    return _with_backbone(spec, MobileNetV3(width=width), "expansion7", "expansion13")


def _fc_channels(spec: DetectorSpec, other: str) -> int:
    """Width of the reduced VGG16 that another backbone replaces."""
    if not isinstance(spec.backbone, Vgg16) or not spec.backbone.reduced:
        raise ValueError(f"only a reduced VGG16 can be replaced by {other}, not {spec.backbone}")
    return spec.backbone.fc_channels


def _with_backbone(spec: DetectorSpec, backbone: Backbone, conv4_3: str, conv7: str) -> DetectorSpec:
    """Return the detector on a backbone whose maps replace these two of VGG16."""
    replacing = {"conv4_3": conv4_3, "conv7": conv7}
    sources = tuple(replace(source, layer=replacing.get(source.layer, source.layer)) for source in spec.sources)
    return replace(spec, backbone=backbone, sources=sources)


def truncated(spec: DetectorSpec) -> DetectorSpec:
    """Return the detector with sizes truncated to whole pixels: Caffe's PriorBox stores them as integers.

    SSD300 is unchanged; the released SSD512 weights were trained with boxes of 35, 76, 153 ... pixels.
    """
    return with_scales(spec, lambda scale: replace(scale, size=int(scale.size), next_size=int(scale.next_size)))


def with_scales(spec: DetectorSpec, change: Callable[[Scale], Scale]) -> DetectorSpec:
    """Return the detector with `change` applied to every scale of its default boxes."""
    return replace(
        spec,
        sources=tuple(replace(source, scales=tuple(map(change, source.scales))) for source in spec.sources),
    )


_HALVE = (3, 2, 1)  # kernel, stride, padding
_LESS_TWO = (3, 1, 0)


def _extras(*shapes: tuple[int, int, int]) -> tuple[ExtraLayer, ...]:
    """Return the extra layers from conv8_2 on: the first has 512 channels, the others half as many."""
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
    """Return sources of one scale each; four boxes per cell in the first and the last two maps, six in the others."""
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
    """Return each map's size and the last map's next size: the first is given, the others rise evenly to 90 %."""
    first, lowest = _LOWEST[input_size, flavour]
    step = (90 - lowest) // (maps - 2)
    return [input_size * percent / 100 for percent in (first, *(lowest + step * level for level in range(maps)))]
