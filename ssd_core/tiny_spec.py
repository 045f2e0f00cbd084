"""A detector for two CPU cores: SSD's construction at a tenth of its size, trained from scratch in minutes.

Named departures from the paper, all of them fields: an input of 144, an eighth of VGG's channels, a GroupNorm after
every convolution (a network of this depth does not train from scratch without one), no L2 normalisation scale of 20
to make up for it. The scales are SSD300's, as fractions of the input; the six maps have 18, 9, 5, 3, 2 and 1 cells.
"""

from __future__ import annotations

from ssd_core.spec import DetectorSpec, ExtraLayer, Preprocessing, Scale, Source, Vgg16, ssd300

INPUT_SIZE = 144


def ssd_tiny(classes: tuple[str, ...]) -> DetectorSpec:
    """The tiny detector for some classes."""
    paper = ssd300()
    steps = (8.0, 16.0, 28.8, 48.0, 72.0, 144.0)  # input / cells
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
            Source(layer=source.layer, step=step, scales=tuple(_shrunk(scale, shrink) for scale in source.scales))
            for source, step in zip(paper.sources, steps, strict=True)
        ),
        norm_groups=4,
        preprocessing=Preprocessing(channel_order="rgb", mean=(123.0, 117.0, 104.0), std=(58.0, 57.0, 57.0)),
    )


def _shrunk(scale: Scale, factor: float) -> Scale:
    return Scale(size=scale.size * factor, next_size=scale.next_size * factor, ratios=scale.ratios)
