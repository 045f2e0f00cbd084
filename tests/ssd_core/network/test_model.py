from dataclasses import replace
from typing import Any

import pytest
import torch
from torchvision.models.detection import ssd300_vgg16

from ssd_core.backbones.layers import initialise
from ssd_core.network.model import Detector
from ssd_core.spec.detector import Preprocessing, Source, Vgg16
from ssd_core.spec.paper import ssd300, ssd300_full_vgg, ssd512
from ssd_core.spec.tilings import Stacked, tiled

RAW = Preprocessing(channel_order="rgb", mean=(0.0, 0.0, 0.0))


def seeded(spec):
    return Detector(spec, torch.Generator().manual_seed(0)).eval()


def images(size, count=2):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8, generator=generator)


def torchvision_name(name):
    """Name of one of our parameters in torchvision's SSD300."""
    part, *rest = name.split(".")
    if part == "l2_norm":
        return "backbone.scale_weight"
    vgg = ["1_1", "1_2", "2_1", "2_2", "3_1", "3_2", "3_3", "4_1", "4_2", "4_3"]
    places = dict(zip((f"conv{layer}" for layer in vgg), (0, 2, 5, 7, 10, 12, 14, 17, 19, 21), strict=True))
    if part == "features":
        _, layer, _, kind = rest
        block = layer.removeprefix("conv").split("_")
        if layer in places:
            return f"backbone.features.{places[layer]}.{kind}"
        if block[0] == "5":
            return f"backbone.extra.0.{2 * int(block[1]) - 1}.{kind}"
        if block[0] in ("6", "7"):
            return f"backbone.extra.0.7.{2 * int(block[0]) - 11}.{kind}"
        return f"backbone.extra.{int(block[0]) - 7}.{2 * int(block[1]) - 2}.{kind}"
    source, head, kind = rest
    order = ("conv4_3", "conv7", "conv8_2", "conv9_2", "conv10_2", "conv11_2").index(source)
    return f"head.{'regression' if head == 'locations' else 'classification'}_head.module_list.{order}.{kind}"


def test_ssd300_predicts_what_torchvision_s_predicts_with_the_same_weights():
    theirs = ssd300_vgg16(weights=None, weights_backbone=None, num_classes=4).eval()
    ours = seeded(replace(ssd300(("cat", "cow", "dog")), preprocessing=RAW))
    state = theirs.state_dict()
    ours.load_state_dict({name: state.pop(torchvision_name(name)) for name in ours.state_dict()})
    assert not state  # each of theirs is used once
    pixels = torch.rand(1, 3, 300, 300, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        locations, logits = ours(pixels)
        expected = theirs.head(list(theirs.backbone(pixels).values()))
    torch.testing.assert_close(locations, expected["bbox_regression"], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(logits, expected["cls_logits"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("spec", [ssd300(), ssd512(), ssd300_full_vgg(), ssd300_full_vgg(seven_sources=True)])
def test_the_maps_have_the_sides_that_the_specification_says(spec):
    with torch.device("meta"):
        detector = Detector(spec)
        features = torch.empty(1, 3, spec.input_size, spec.input_size)
        locations, logits = detector(features)
    sides = {}
    for layer, part in detector.features.items():
        features = part(features)
        sides[layer] = features.shape[2]
        assert features.shape[2] == features.shape[3]
    assert sides == spec.cells()
    assert locations.shape == (1, spec.box_count, 4)
    assert logits.shape == (1, spec.box_count, 21)


def test_fc6_of_the_full_vgg_is_the_fully_connected_layer_in_the_middle_cell():
    vgg = Vgg16(reduced=False, channels=(4, 8, 8, 16, 16), fc_channels=12, dilation=1)
    parts = vgg.parts(norm_groups=0)
    initialise(parts["conv7"], torch.Generator().manual_seed(0))
    pooled = torch.rand(2, 16, 7, 7, generator=torch.Generator().manual_seed(1))
    conv6: Any = parts["conv7"].conv6
    expected = torch.relu(pooled.flatten(1) @ conv6.conv.weight.flatten(1).T)
    found = conv6(pooled)
    assert found.shape == (2, 12, 7, 7)
    torch.testing.assert_close(found[:, :, 3, 3], expected)  # there the 7x7 kernel sees the 7x7 map and no padding


def test_conv5_3_predicts_from_unnormalised_features(narrow_spec):
    vgg = Vgg16(reduced=False, channels=(4, 8, 8, 16, 16), fc_channels=16, dilation=1)
    source = Source(layer="conv5_3", step=16, scales=narrow_spec.sources[0].scales)
    detector = seeded(replace(narrow_spec, backbone=vgg, sources=(source,)))
    assert detector.l2_norm is None
    features = detector.features["conv5_3"](detector.features["conv4_3"](detector.preprocess(images(128))))
    assert torch.equal(detector(images(128))[0], detector.heads["conv5_3"](features)[0])


def test_images_are_converted_to_bgr_and_their_mean_is_subtracted():
    detector = seeded(ssd300())
    pixels = torch.tensor([10, 20, 30], dtype=torch.uint8)[None, :, None, None].expand(1, 3, 300, 300)
    expected = torch.tensor([30 - 104.0, 20 - 117.0, 10 - 123.0])
    assert torch.equal(detector.preprocess(pixels)[0, :, 0, 0], expected)


def test_rgb_weights_get_rgb_divided_by_the_standard_deviation(narrow_spec):
    spec = replace(narrow_spec, preprocessing=Preprocessing(channel_order="rgb", mean=(1, 2, 3), std=(1, 2, 4)))
    pixels = torch.tensor([2, 4, 7], dtype=torch.uint8)[None, :, None, None].expand(1, 3, 128, 128)
    assert seeded(spec).preprocess(pixels)[0, :, 5, 5].tolist() == [1, 1, 1]


def test_predictions_follow_the_order_of_the_default_boxes(narrow_spec):
    detector = seeded(narrow_spec)
    for head in detector.heads.values():
        torch.nn.init.zeros_(head.locations.weight)
        torch.nn.init.zeros_(head.logits.weight)
    # the head of conv7 names box and coordinate, or box and class, in its bias
    detector.heads["conv7"].locations.bias.data = torch.arange(24.0)
    detector.heads["conv7"].logits.bias.data = torch.arange(18.0)
    locations, logits = detector(images(128, count=1))
    start = 16 * 16 * 4
    assert torch.equal(locations[0, start : start + 6], torch.arange(24.0).reshape(6, 4))
    assert torch.equal(logits[0, start + 6 : start + 12], torch.arange(18.0).reshape(6, 3))
    assert not locations[0, :start].any()
    assert not logits[0, start + 8 * 8 * 6 :].any()


def test_a_float_image_of_the_same_pixels_gives_the_same(narrow_spec):
    detector = seeded(narrow_spec)
    for whole, real in zip(detector(images(128)), detector(images(128).float()), strict=True):
        assert torch.equal(whole, real)


def test_channels_last_changes_nothing_but_rounding(narrow_spec):
    detector = seeded(narrow_spec)
    expected = detector(images(128))
    found = detector.to(memory_format=torch.channels_last)(images(128).contiguous(memory_format=torch.channels_last))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("layers", [("conv4_3",), ("conv7",), ("conv4_3", "conv7"), ("conv7", "conv8_2")])
def test_any_set_of_sources_predicts_for_each_default_box(narrow_spec, layers):
    spec = tiled(narrow_spec, tuple(Stacked(layer=layer) for layer in layers))
    locations, logits = seeded(spec)(images(128))
    assert locations.shape == (2, spec.box_count, 4)
    assert logits.shape == (2, spec.box_count, 3)


def test_layers_above_the_last_source_are_not_built(narrow_spec):
    assert list(seeded(narrow_spec).features) == ["conv4_3", "conv7", "conv8_2"]  # conv9_2 predicts nothing
    assert list(seeded(tiled(narrow_spec, (Stacked(layer="conv4_3"),))).features) == ["conv4_3"]


def test_only_a_source_conv4_3_is_normalised(narrow_spec):
    assert seeded(tiled(narrow_spec, (Stacked(layer="conv7"),))).l2_norm is None
    assert seeded(narrow_spec).l2_norm.scale.tolist() == [20.0] * 16


def test_pool4_reads_conv4_3_before_normalisation(narrow_spec):
    detector = seeded(narrow_spec)
    start = 16 * 16 * 4
    before = detector(images(128))[0]
    detector.l2_norm.scale.data *= 2
    after = detector(images(128))[0]
    assert not torch.equal(before[:, :start], after[:, :start])
    assert torch.equal(before[:, start:], after[:, start:])


def test_sources_predict_in_the_order_of_the_specification(narrow_spec):
    turned = seeded(replace(narrow_spec, sources=narrow_spec.sources[::-1]))
    turned.load_state_dict(seeded(narrow_spec).state_dict())
    straight, reverse = seeded(narrow_spec)(images(128))[0], turned(images(128))[0]
    assert torch.equal(straight[:, : 16 * 16 * 4], reverse[:, -16 * 16 * 4 :])


def test_default_boxes_go_with_the_module_but_not_into_its_state(narrow_spec):
    detector = seeded(narrow_spec)
    assert detector.default_boxes.shape == (narrow_spec.box_count, 4)
    assert not [name for name in detector.state_dict() if "default_boxes" in name or "preprocess" in name]


def test_an_image_of_another_size_is_refused_with_both_sizes(narrow_spec):
    with pytest.raises(ValueError, match=r"\(B, 3, 128, 128\), but are \(2, 3, 96, 96\)"):
        seeded(narrow_spec)(images(96))


def test_a_map_of_a_single_cell_can_be_normalised_by_groups(narrow_spec):
    extras = tuple(
        replace(narrow_spec.extras[0], name=f"conv{number}_2") for number in (8, 9, 10, 11)
    )  # 8 -> 4 -> 2 -> 1 -> 1 cells
    top = Source(layer="conv11_2", step=128, scales=narrow_spec.sources[0].scales)
    locations, _ = seeded(replace(narrow_spec, extras=extras, sources=(top,)))(images(128))
    assert locations.shape == (2, 4, 4)
    assert locations.isfinite().all()
