"""Shapes and types that the annotations of ssd_core promise are checked while its tests run."""

from __future__ import annotations

import pytest
from jaxtyping import install_import_hook

CHECKED = (
    "augment", "boxes", "coding", "decoding", "default_boxes", "images", "layers", "loss", "matching", "model",
    "network_cost", "objects", "optimiser", "order", "randomness", "shards", "stream", "vgg", "voc_ap",
)  # fmt: skip
install_import_hook([f"ssd_core.{module}" for module in CHECKED], "beartype.beartype")

from ssd_core.spec import DetectorSpec, ExtraLayer, Scale, Source, Vgg16  # noqa: E402


@pytest.fixture
def narrow_spec() -> DetectorSpec:
    """Three maps of 16, 8 and 4 cells at input 128, a few channels each, GroupNorm; 16*16*4 + 8*8*6 + 4*4*4 boxes."""
    return DetectorSpec(
        input_size=128,
        classes=("cat", "dog"),
        backbone=Vgg16(channels=(4, 8, 8, 16, 16), fc_channels=16),
        extras=(
            ExtraLayer(name="conv8_2", squeeze=8, channels=16, stride=2, padding=1),
            ExtraLayer(name="conv9_2", squeeze=8, channels=16, stride=2, padding=1),
        ),
        sources=(
            Source(layer="conv4_3", step=8, scales=(Scale(size=13, next_size=26, ratios=(2,)),)),
            Source(layer="conv7", step=16, scales=(Scale(size=26, next_size=58, ratios=(2, 3)),)),
            Source(layer="conv8_2", step=32, scales=(Scale(size=58, next_size=90, ratios=(2,)),)),
        ),
        norm_groups=4,
    )
