"""The detectors of the paper as specifications.

Sizes and steps are those that the released ssd_pascal.py, ssd_coco.py and their SSD512 variants generate.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest
import torch
from torch import nn

from ssd_core.backbones.backbone import Backbone
from ssd_core.backbones.layers import build_layers
from ssd_core.network.feature_blueprint import extra_blueprints
from ssd_core.spec.detector import DetectorSpec, Scale, Source, Vgg16
from ssd_core.spec.paper import (
    ssd300,
    ssd300_full_vgg,
    ssd512,
    truncated,
    with_full_vgg,
    with_mobilenet_v3,
    with_resnet50,
    with_scales,
)
from ssd_core.spec.plain import from_plain, to_plain
from ssd_core.spec.tiny import ssd_tiny

SIZES = {
    (ssd300, "voc"): [30, 60, 111, 162, 213, 264, 315],
    (ssd300, "coco"): [21, 45, 99, 153, 207, 261, 315],
    (ssd512, "voc"): [35.84, 76.8, 153.6, 230.4, 307.2, 384, 460.8, 537.6],
    (ssd512, "coco"): [20.48, 51.2, 133.12, 215.04, 296.96, 378.88, 460.8, 542.72],
    (ssd300_full_vgg, "voc"): [30, 60, 111, 162, 213, 264, 315],
}


@dataclass(frozen=True, kw_only=True)
class Unplanned(Backbone):
    """A custom backbone that states the widths of its maps and no blueprint."""

    def cells(self, input_size: int) -> dict[str, int]:
        return {"only": input_size // 8}

    def widths(self) -> dict[str, int]:
        return {"only": 6}

    def parts(self, norm_groups: int) -> OrderedDict[str, nn.Module]:
        return OrderedDict(only=nn.Conv2d(3, 6, 8, 8))


def sizes(spec: DetectorSpec) -> list[float]:
    """Size of each map and the next size of the last."""
    scales = [scale for source in spec.sources for scale in source.scales]
    assert [scale.next_size for scale in scales[:-1]] == [scale.size for scale in scales[1:]]
    return [*(scale.size for scale in scales), scales[-1].next_size]


@pytest.mark.parametrize(("detector", "flavour"), SIZES)
def test_the_sizes_of_the_boxes_are_those_of_the_released_scripts(detector, flavour):
    assert sizes(detector(scales=flavour)) == pytest.approx(SIZES[detector, flavour], abs=1e-12)


@pytest.mark.parametrize(
    ("detector", "cells", "steps", "boxes_per_cell", "boxes"),
    [
        (ssd300, [38, 19, 10, 5, 3, 1], [8, 16, 32, 64, 100, 300], [4, 6, 6, 6, 4, 4], 8732),
        (ssd512, [64, 32, 16, 8, 4, 2, 1], [8, 16, 32, 64, 128, 256, 512], [4, 6, 6, 6, 6, 4, 4], 24564),
        (ssd300_full_vgg, [38, 19, 10, 5, 3, 1], [8, 16, 32, 64, 100, 300], [4, 6, 6, 6, 4, 4], 8732),
    ],
)
def test_maps_steps_and_boxes_are_those_of_the_paper(detector, cells, steps, boxes_per_cell, boxes):
    spec = detector()
    assert [spec.cells()[source.layer] for source in spec.sources] == cells
    assert [source.step for source in spec.sources] == steps
    assert [source.boxes_per_cell for source in spec.sources] == boxes_per_cell
    assert spec.box_count == boxes


def test_conv12_2_is_4x4_with_a_padding_of_one():
    conv12 = ssd512().extras[-1]
    assert (conv12.name, conv12.squeeze, conv12.channels) == ("conv12_2", 128, 256)
    assert (conv12.kernel, conv12.stride, conv12.padding) == (4, 1, 1)


def test_caffe_truncates_sizes_to_whole_pixels_which_affects_only_ssd512():
    assert sizes(truncated(ssd512())) == [35, 76, 153, 230, 307, 384, 460, 537]
    assert sizes(truncated(ssd512(scales="coco"))) == [20, 51, 133, 215, 296, 378, 460, 542]
    for flavour in ("voc", "coco"):
        assert truncated(ssd300(scales=flavour)) == ssd300(scales=flavour)


def test_the_full_vgg_reads_conv5_3_and_halves_its_maps_once_more():
    spec = ssd300_full_vgg()
    assert [source.layer for source in spec.sources] == [
        "conv4_3",
        "conv5_3",
        "conv7",
        "conv8_2",
        "conv9_2",
        "conv10_2",
    ]
    assert spec.backbone == Vgg16(reduced=False, fc_channels=4096, dilation=1)


@pytest.mark.parametrize("detector", [ssd300, ssd512, lambda: ssd_tiny(("cat", "dog"))])
def test_on_the_full_vgg_a_detector_keeps_its_maps_and_boxes(detector):
    paper, full = detector(), with_full_vgg(detector())
    assert [full.cells()[source.layer] for source in full.sources] == [
        paper.cells()[source.layer] for source in paper.sources
    ]
    assert [(source.step, source.scales) for source in full.sources] == [
        (source.step, source.scales) for source in paper.sources
    ]
    assert isinstance(full.backbone, Vgg16)
    assert isinstance(paper.backbone, Vgg16)
    assert full.backbone.fc_channels == 4 * paper.backbone.fc_channels


def test_the_full_vgg_has_the_layers_of_ssd300_between_maps_of_the_same_sides():
    extras = [(each.name, each.squeeze, each.channels, each.stride, each.padding) for each in ssd300_full_vgg().extras]
    assert extras == [("conv8_2", 256, 512, 2, 1), ("conv9_2", 128, 256, 1, 0), ("conv10_2", 128, 256, 1, 0)]


def test_a_full_vgg_cannot_be_made_full_again():
    with pytest.raises(ValueError, match="only a reduced VGG16 can be replaced by the full one, not Vgg16"):
        with_full_vgg(ssd300_full_vgg())


def test_with_seven_sources_the_scales_of_the_full_vgg_rise_in_steps_of_14_percent():
    spec = ssd300_full_vgg(seven_sources=True)
    assert [spec.cells()[source.layer] for source in spec.sources] == [38, 19, 10, 5, 3, 2, 1]
    assert sizes(spec) == pytest.approx([30, 60, 102, 144, 186, 228, 270, 312])
    assert spec.box_count == 38**2 * 4 + 19**2 * 6 + 10**2 * 6 + 5**2 * 6 + 3**2 * 6 + 2**2 * 4 + 4


def test_dilation_in_the_full_vgg_is_refused():
    with pytest.raises(ValueError, match="it needs dilation=1, not 6"):
        Vgg16(reduced=False, fc_channels=4096)


def test_conv5_3_does_not_predict_in_the_reduced_vgg():
    with pytest.raises(ValueError, match="'conv5_3' is not a layer of this network; it has conv4_3, conv7, conv8_2"):
        replace(ssd300(), sources=ssd300_full_vgg().sources)


def test_a_change_of_scales_reaches_each_of_them():
    doubled = with_scales(ssd300(), lambda scale: replace(scale, size=scale.size * 2, next_size=scale.next_size * 2))
    assert sizes(doubled) == [60, 120, 222, 324, 426, 528, 630]


@pytest.mark.parametrize("spec", [ssd512(), ssd300_full_vgg(), replace(ssd300(), clip_boxes=True)])
def test_each_detector_round_trips_through_plain_values(spec):
    assert from_plain(DetectorSpec, to_plain(spec)) == spec


def test_a_specification_saved_before_other_networks_existed_is_ssd300():
    plain = to_plain(ssd300())
    del plain["clip_boxes"], plain["backbone"]["reduced"]
    assert from_plain(DetectorSpec, plain) == ssd300()


@pytest.mark.parametrize(
    "spec", [ssd300(), ssd300_full_vgg(), with_resnet50(ssd300()), with_mobilenet_v3(ssd300()), ssd_tiny(("cat",))]
)
def test_norm_groups_are_refused_exactly_where_the_network_cannot_be_built(spec):
    accepted, built = [], []
    for groups in (1, 4, 7, 8, 16, 64, 128):
        with suppress(ValueError):
            accepted.append(replace(spec, norm_groups=groups).norm_groups)
        with suppress(ValueError), torch.device("meta"):
            parts = spec.backbone.parts(groups)
            for extra in extra_blueprints(spec).values():
                parts[str(len(parts))] = build_layers(extra, groups)
            built.append(groups)
    assert accepted == built
    assert 1 < len(accepted) < 7


def test_the_widths_of_a_backbone_without_a_blueprint_are_checked_too():
    with pytest.raises(
        ValueError, match=r"norm_groups=4 does not divide the channels of 1 of 1 convolutions, such as the 6 of only"
    ):
        DetectorSpec(
            input_size=8,
            classes=("cat",),
            backbone=Unplanned(),
            extras=(),
            sources=(Source(layer="only", step=8, scales=(Scale(size=1, next_size=2, ratios=()),)),),
            norm_groups=4,
        )
