"""A detector for two CPU cores: SSD's construction at a tenth of its size, trained from scratch in minutes.

Named departures from the paper, all of them fields: an input of 130, an eighth of VGG's channels, a GroupNorm after
every convolution (a network of this depth does not train from scratch without one), and the scale of the L2
normalisation in proportion to the width (20 is for 512 channels). The scales are SSD300's, as fractions of the
input; the six maps have 17, 9, 5, 3, 2 and 1 cells.
"""

from __future__ import annotations

from ssd_core.spec import DetectorSpec, ExtraLayer, Preprocessing, Scale, Source, Vgg16, ssd300

INPUT_SIZE = 130


def ssd_tiny(classes: tuple[str, ...]) -> DetectorSpec:
    """The tiny detector for some classes."""
    paper = ssd300()
    cells = (17, 9, 5, 3, 2, 1)
    shrink = INPUT_SIZE / paper.input_size
    return DetectorSpec(
        input_size=INPUT_SIZE,
        classes=classes,
        backbone=Vgg16(channels=(8, 16, 32, 64, 64), fc_channels=128, dilation=2),
        extras=tuple(
            ExtraLayer(name=name, squeeze=32, channels=64, stride=2, padding=1)
            for name in ("conv8_2", "conv9_2", "conv10_2", "conv11_2")
        ),
        sources=tuple(
            Source(
                layer=source.layer,
                step=INPUT_SIZE / side,
                scales=tuple(_shrunk(scale, shrink) for scale in source.scales),
            )
            for source, side in zip(paper.sources, cells, strict=True)
        ),
        norm_groups=8,
        l2_norm_scale=5.0,
        preprocessing=Preprocessing(channel_order="rgb", mean=(123.0, 117.0, 104.0), std=(58.0, 57.0, 57.0)),
    )


def _shrunk(scale: Scale, factor: float) -> Scale:
    return Scale(size=scale.size * factor, next_size=scale.next_size * factor, ratios=scale.ratios)
