"""A detector for two CPU cores: the architecture of SSD at a tenth of its size, trained from scratch in minutes.

Departures from the paper, all of them fields: a small input, an eighth of VGG's channels, a GroupNorm after every
convolution (a network of this depth does not train from scratch without one), and an L2 normalisation whose scale is
proportional to the width (20 is for 512 channels). The scales are SSD300's, as fractions of the input; at 130 the six
maps have 17, 9, 5, 3, 2 and 1 cells.
"""

from __future__ import annotations

from dataclasses import replace

from ssd_core.spec.detector import DetectorSpec, ExtraLayer, Preprocessing, Scale, Vgg16
from ssd_core.spec.paper import ssd300


def ssd_tiny(classes: tuple[str, ...], input_size: int = 130) -> DetectorSpec:
    """Return the tiny detector for these classes; a larger input suits smaller objects and costs more, by its area."""
    paper = ssd300()
    shrink = input_size / paper.input_size
    spec = DetectorSpec(
        input_size=input_size,
        classes=classes,
        backbone=Vgg16(channels=(8, 16, 32, 64, 64), fc_channels=128, dilation=2),
        extras=tuple(
            ExtraLayer(name=name, squeeze=32, channels=64, stride=2, padding=1)
            for name in ("conv8_2", "conv9_2", "conv10_2", "conv11_2")
        ),
        sources=tuple(
            replace(source, scales=tuple(_shrunk(scale, shrink) for scale in source.scales)) for source in paper.sources
        ),
        norm_groups=8,
        l2_norm_scale=5.0,
        preprocessing=Preprocessing(channel_order="rgb", mean=(123.0, 117.0, 104.0), std=(58.0, 57.0, 57.0)),
    )
    cells = spec.cells()
    return replace(
        spec, sources=tuple(replace(source, step=input_size / cells[source.layer]) for source in spec.sources)
    )


def _shrunk(scale: Scale, factor: float) -> Scale:
    return Scale(size=scale.size * factor, next_size=scale.next_size * factor, ratios=scale.ratios)
