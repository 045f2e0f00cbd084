"""The importer: files of every layout made from our own network, and errors.

Names are those of the programs: ssd.py of amdegroot, ssd/modeling of lufficc, caffe2npz.py of chainercv,
examples/ssd of weiliu89/caffe.
"""

from __future__ import annotations

import io
from dataclasses import replace
from math import sqrt
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ssd_core.boxes.default_boxes import default_boxes
from ssd_core.network.model import Detector
from ssd_core.spec.paper import ssd300, ssd512, truncated
from ssd_core.spec.vocabularies import COCO_CLASSES, VOC_CLASSES
from ssd_core.weights.importing import import_weights, tensor_names, weights_from
from ssd_core.weights.layouts.known import LAYOUTS, layout_of
from ssd_core.weights.layouts.layout import ImportChoices


def state_of(spec) -> dict[str, Tensor]:
    return Detector(spec, torch.Generator().manual_seed(0)).state_dict()


@pytest.fixture(scope="module")
def ssd300_state() -> dict[str, Tensor]:
    return state_of(ssd300())


@pytest.fixture(scope="module")
def ssd512_state() -> dict[str, Tensor]:
    return state_of(ssd512())


def yx(tensor: Tensor) -> Tensor:
    """Reorder (cx, cy, w, h) of every box to (cy, cx, h, w)."""
    swapped = tensor.clone()
    for first in range(0, len(tensor), 2):
        swapped[first], swapped[first + 1] = tensor[first + 1], tensor[first]
    return swapped


def theirs(layout: Any, state: dict[str, Tensor], spec=None) -> dict[str, Tensor]:
    """The tensors under the names and in the order of a layout."""
    names = tensor_names(LAYOUTS[layout], spec or ssd300())
    turn = yx if layout == "chainercv" else Tensor.clone
    return {names[ours]: turn(tensor) if ".locations." in ours else tensor for ours, tensor in state.items()}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_ssd300_of_every_layout_comes_back_bitwise(layout, ssd300_state):
    weights = weights_from(theirs(layout, ssd300_state), ImportChoices())
    assert weights.spec.classes == VOC_CLASSES
    assert weights.spec.input_size == 300
    assert set(weights.state) == set(ssd300_state)
    assert all(torch.equal(weights.state[name], tensor) for name, tensor in ssd300_state.items())
    weights.detector()


@pytest.mark.parametrize("layout", ["lufficc", "caffe", "chainercv"])
def test_an_ssd512_is_detected_by_its_seventh_head(layout, ssd512_state):
    weights = weights_from(theirs(layout, ssd512_state, ssd512()), ImportChoices())
    assert weights.spec.input_size == 512
    assert all(torch.equal(weights.state[name], tensor) for name, tensor in ssd512_state.items())
    weights.detector()


@pytest.mark.parametrize(
    ("layout", "spec", "ours", "name"),
    [
        ("torchvision", ssd300(), "features.conv4_3.conv4_3.conv.weight", "backbone.features.21.weight"),
        ("torchvision", ssd300(), "features.conv7.conv5_1.conv.weight", "backbone.extra.0.1.weight"),
        ("torchvision", ssd300(), "features.conv7.conv5_3.conv.bias", "backbone.extra.0.5.bias"),
        ("torchvision", ssd300(), "features.conv11_2.conv11_2.conv.weight", "backbone.extra.4.2.weight"),
        ("amdegroot", ssd300(), "features.conv7.conv6.conv.weight", "vgg.31.weight"),
        ("amdegroot", ssd300(), "features.conv11_2.conv11_2.conv.weight", "extras.7.weight"),
        ("amdegroot", ssd300(), "heads.conv10_2.logits.bias", "conf.4.bias"),
        ("lufficc", ssd512(), "features.conv12_2.conv12_1.conv.weight", "backbone.extras.8.weight"),
        ("lufficc", ssd300(), "heads.conv4_3.locations.weight", "box_head.predictor.reg_headers.0.weight"),
        ("caffe", ssd300(), "features.conv7.conv7.conv.weight", "fc7/0"),
        ("caffe", ssd300(), "features.conv8_2.conv8_1.conv.bias", "conv6_1/1"),
        ("caffe", ssd300(), "heads.conv4_3.locations.weight", "conv4_3_norm_mbox_loc/0"),
        ("caffe", ssd300(), "heads.conv7.logits.bias", "fc7_mbox_conf/1"),
        ("caffe", ssd300(), "heads.conv11_2.logits.weight", "conv9_2_mbox_conf/0"),
        ("caffe", ssd512(), "heads.conv12_2.locations.weight", "conv10_2_mbox_loc/0"),
        ("chainercv", ssd300(), "features.conv4_3.conv3_2.conv.weight", "extractor/conv3_2/W"),
        ("chainercv", ssd300(), "features.conv9_2.conv9_1.conv.bias", "extractor/conv9_1/b"),
        ("chainercv", ssd512(), "heads.conv12_2.logits.weight", "multibox/conf/6/W"),
    ],
)
def test_names_are_those_of_the_programs(layout, spec, ours, name):
    assert tensor_names(LAYOUTS[layout], spec)[ours] == name


def test_preprocessing_and_clipping_travel_with_the_weights(ssd300_state):
    def spec(layout):
        return weights_from(theirs(layout, ssd300_state), ImportChoices()).spec

    for layout in ("amdegroot", "lufficc", "chainercv"):
        assert spec(layout).preprocessing.channel_order == "rgb"
        assert spec(layout).preprocessing.mean == (123, 117, 104)
    assert spec("caffe").preprocessing.channel_order == "bgr"
    assert spec("caffe").preprocessing.mean == (104, 117, 123)
    assert spec("torchvision").preprocessing.mean == pytest.approx((122.99925, 116.9991, 103.9992))
    clipping = {layout: (spec(layout).clip_boxes, spec(layout).clip_sizes) for layout in LAYOUTS}
    assert clipping == {
        "torchvision": (False, True),
        "amdegroot": (True, False),
        "lufficc": (True, False),
        "caffe": (False, False),
        "chainercv": (False, False),
    }


def test_clamped_boxes_are_those_longer_than_the_image_and_those_whose_centres_lie_outside(ssd300_state):
    def boxes(layout, **choices):
        return default_boxes(weights_from(theirs(layout, ssd300_state), ImportChoices(**choices, scales="voc")).spec)

    whole = boxes("amdegroot", clip_boxes=False)
    clamped, sizes_clamped = boxes("amdegroot"), boxes("torchvision")
    # 20 of conv10_2 and conv11_2 are longer than 1; the last of 10 cells of conv8_2 has its centre at 9.5 * 32 / 300
    # = 1.0133, so 19 of its cells with 6 boxes each move
    assert (clamped != whole).any(dim=1).sum() == 20 + 19 * 6
    assert (sizes_clamped != whole).any(dim=1).sum() == 20
    assert torch.equal(sizes_clamped[:, :2], whole[:, :2])


def test_an_ssd512_of_caffe_has_sizes_in_whole_pixels(ssd512_state):
    spec = weights_from(theirs("caffe", ssd512_state, ssd512()), ImportChoices()).spec
    assert [source.scales[0].size for source in spec.sources] == [35, 76, 153, 230, 307, 384, 460]
    assert default_boxes(spec)[1, 2] == pytest.approx(sqrt(35 * 76) / 512)
    assert spec == truncated(ssd512())


def test_the_last_size_of_lufficcs_ssd512_for_voc_is_its_own(ssd512_state):
    spec = weights_from(theirs("lufficc", ssd512_state, ssd512()), ImportChoices()).spec
    assert spec.sources[-1].scales[0].next_size == 537.65


def test_scales_follow_the_classes_unless_given(ssd300_state):
    coco = ssd300(COCO_CLASSES, scales="coco")
    wide = state_of(coco)
    imported = weights_from(theirs("amdegroot", wide, coco), ImportChoices())
    assert (imported.spec.classes, imported.spec.sources) == (COCO_CLASSES, coco.sources)
    fine_tuned = weights_from(theirs("caffe", ssd300_state), ImportChoices(scales="coco"))
    assert (fine_tuned.spec.classes, fine_tuned.spec.sources) == (VOC_CLASSES, coco.sources)
    # torchvision's constructor has COCO's whatever the number of classes
    assert weights_from(theirs("torchvision", ssd300_state), ImportChoices()).spec.sources == coco.sources


def test_custom_classes_must_be_given_and_their_number_must_fit():
    spec = ssd300(("cat", "dog"))
    tensors = theirs("lufficc", state_of(spec), spec)
    assert weights_from(tensors, ImportChoices(classes=("cat", "dog"))).spec.classes == ("cat", "dog")
    with pytest.raises(ValueError, match=r"3 outputs per box.*name its classes"):
        weights_from(tensors, ImportChoices())
    with pytest.raises(ValueError, match="has 3 outputs per box including background, but 1 classes were given"):
        weights_from(tensors, ImportChoices(classes=("cat",)))


def test_a_tensor_that_does_not_fit_is_named_with_both_shapes(ssd300_state):
    tensors = theirs("amdegroot", ssd300_state)
    tensors["extras.1.weight"] = torch.zeros(512, 128, 3, 3)
    with pytest.raises(ValueError, match="do not fit an SSD300 of amdegroot with 21 outputs") as raised:
        weights_from(tensors, ImportChoices())
    assert (
        "extras.1.weight is (512, 128, 3, 3), but features.conv8_2.conv8_2.conv.weight needs (512, 256, 3, 3)"
        in str(raised.value)
    )


def test_missing_and_unused_tensors_are_named(ssd300_state):
    tensors = theirs("lufficc", ssd300_state)
    del tensors["backbone.vgg.33.bias"]
    tensors["backbone.bn.weight"] = torch.zeros(3)
    with pytest.raises(ValueError, match=r"backbone\.vgg\.33\.bias is missing; backbone\.bn\.weight is unexpected"):
        weights_from(tensors, ImportChoices())


def test_a_layout_that_the_file_does_not_follow_is_refused(ssd300_state):
    with pytest.raises(ValueError, match=r"layout of caffe: it lacks conv4_3_norm_mbox_conf/0"):
        weights_from(theirs("amdegroot", ssd300_state), ImportChoices(layout="caffe"))
    with pytest.raises(ValueError, match=r"one of the supported layouts.*first tensors are layer1\.weight"):
        weights_from({"layer1.weight": torch.zeros(1)}, ImportChoices())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_is_detected_by_its_names(layout):
    assert layout_of(set(tensor_names(LAYOUTS[layout], ssd300()).values())).name == layout


def test_a_checkpoint_of_lufficc_and_names_of_data_parallel_are_supported(ssd300_state):
    stream = io.BytesIO()
    model = {f"module.{name}": tensor for name, tensor in theirs("lufficc", ssd300_state).items()}
    torch.save({"model": model, "optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]}, "iteration": 5}, stream)
    stream.seek(0)
    imported = import_weights(stream)
    assert torch.equal(imported.state["l2_norm.scale"], ssd300_state["l2_norm.scale"])


def test_an_npz_of_chainercv_is_read_and_its_locations_are_reordered(ssd300_state):
    stream = io.BytesIO()
    arrays: dict[str, Any] = {name: tensor.numpy() for name, tensor in theirs("chainercv", ssd300_state).items()}
    np.savez(stream, **arrays)
    stream.seek(0)
    imported = import_weights(stream, ImportChoices(layout="chainercv"))
    assert all(torch.equal(imported.state[name], tensor) for name, tensor in ssd300_state.items())


def test_preprocessing_of_a_layout_reaches_the_network(ssd300_state):
    """Equal tensors in BGR and RGB: images with swapped channels give the same output."""
    images = torch.randint(0, 256, (1, 3, 300, 300), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    bgr = weights_from(theirs("caffe", ssd300_state), ImportChoices()).detector()
    rgb = weights_from(theirs("chainercv", ssd300_state), ImportChoices())
    rgb = replace(rgb, spec=replace(rgb.spec, preprocessing=replace(rgb.spec.preprocessing, mean=(104, 117, 123))))
    with torch.no_grad():
        for one, other in zip(bgr(images), rgb.detector()(images.flip(1)), strict=True):
            assert torch.equal(one, other)
