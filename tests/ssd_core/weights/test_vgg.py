"""Initial weights from VGG16; tensors are views of a few numbers, since a VGG16 has 138 million parameters."""

import io
from dataclasses import replace

import pytest
import torch
from torchvision.models import vgg16

from ssd_core.network.model import Detector
from ssd_core.spec.paper import ssd300, ssd300_full_vgg
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.named_tensors import read_named_tensors
from ssd_core.weights.vgg import CAFFE, REDUCED, TORCHVISION, from_vgg16, vgg16_weights

PLACES = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)


def torchvision_state():
    """Names and shapes of torchvision's VGG16, with values that identify their origin."""
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in vgg16(weights=None).state_dict().items()}
    state = {name: torch.tensor(0.0).expand(shape) for name, shape in shapes.items()}
    for place in PLACES:
        state[f"features.{place}.bias"] = torch.tensor(float(place)).expand(shapes[f"features.{place}.bias"])
    state["classifier.0.weight"] = (torch.arange(512 * 49.0) % 49).expand(4096, 512 * 49)  # the tap of the 7x7 kernel
    state["classifier.0.bias"] = torch.arange(4096.0)
    state["classifier.3.weight"] = torch.arange(4096.0).expand(4096, 4096)  # the neuron of fc6
    state["classifier.3.bias"] = torch.arange(4096.0)
    return state


def reduced_state(prefix):
    shapes = {name: tensor.shape for name, tensor in vgg16_weights(torchvision_state()).state.items()}
    ours = [name.removesuffix(".weight") for name in shapes if name.endswith(".weight")]
    places = dict(zip(ours, (*PLACES, 31, 33), strict=True))
    return {
        f"{prefix}{place}.{kind}": torch.tensor(float(place)).expand(shapes[f"{name}.{kind}"])
        for name, place in places.items()
        for kind in ("weight", "bias")
    }


@pytest.fixture(scope="module")
def full_spec():
    return replace(ssd300(), preprocessing=TORCHVISION)


def test_one_of_four_neurons_and_the_taps_0_3_6_are_kept():
    state = vgg16_weights(torchvision_state()).state
    conv6 = state["features.conv7.conv6.conv.weight"]
    assert conv6.shape == (1024, 512, 3, 3)
    assert conv6[5, 7].tolist() == [[0, 3, 6], [21, 24, 27], [42, 45, 48]]  # rows 0, 3 and 6 of 7 taps each
    assert state["features.conv7.conv6.conv.bias"].tolist() == list(range(0, 4096, 4))
    conv7 = state["features.conv7.conv7.conv.weight"]
    assert conv7.shape == (1024, 1024, 1, 1)
    assert conv7[3, :, 0, 0].tolist() == list(range(0, 4096, 4))
    assert state["features.conv7.conv7.conv.bias"].tolist() == list(range(0, 4096, 4))


def test_each_convolution_finds_its_place_in_the_detector(full_spec):
    weights = vgg16_weights(torchvision_state())
    with torch.device("meta"):
        own = Detector(full_spec).state_dict()
    assert set(weights.state) == {
        name for name in own if name.split(".")[1] in ("conv4_3", "conv7") and "conv." in name and "heads" not in name
    }
    assert {name: own[name].shape for name in weights.state} == {
        name: tensor.shape for name, tensor in weights.state.items()
    }
    assert weights.state["features.conv4_3.conv3_3.conv.bias"][0] == 14
    assert weights.state["features.conv7.conv5_3.conv.bias"][0] == 28


def test_the_full_network_takes_every_neuron_and_the_whole_7x7_kernel():
    state = vgg16_weights(torchvision_state(), reduced=False).state
    conv6 = state["features.conv7.conv6.conv.weight"]
    assert conv6.shape == (4096, 512, 7, 7)
    assert conv6[5, 7].flatten().tolist() == list(range(49))
    assert state["features.conv7.conv6.conv.bias"].tolist() == list(range(4096))
    conv7 = state["features.conv7.conv7.conv.weight"]
    assert conv7.shape == (4096, 4096, 1, 1)
    assert conv7[3, :, 0, 0].tolist() == list(range(4096))


def test_each_convolution_finds_its_place_in_the_full_network():
    state = vgg16_weights(torchvision_state(), reduced=False).state
    with torch.device("meta"):
        own = Detector(ssd300_full_vgg()).state_dict()
    parts = ("features.conv4_3.", "features.conv5_3.", "features.conv7.")
    assert {name: tensor.shape for name, tensor in state.items()} == {
        name: tensor.shape for name, tensor in own.items() if name.startswith(parts)
    }
    assert state["features.conv5_3.conv5_3.conv.bias"][0] == 28


@pytest.mark.parametrize("prefix", ["", "vgg."])
def test_a_reduced_vgg_is_refused_for_the_full_network(prefix):
    with pytest.raises(ValueError, match=r"already reduced.*torchvision's vgg16"):
        vgg16_weights(reduced_state(prefix), reduced=False)


@pytest.mark.parametrize("prefix", ["", "vgg."])
def test_a_reduced_vgg_comes_with_the_preprocessing_of_caffe_in_rgb(prefix):
    weights = vgg16_weights(reduced_state(prefix))
    assert weights.preprocessing == REDUCED
    assert weights.state["features.conv4_3.conv4_3.conv.bias"][0] == 21
    assert weights.state["features.conv7.conv6.conv.weight"][0, 0, 0, 0] == 31
    assert weights.state["features.conv7.conv7.conv.weight"][0, 0, 0, 0] == 33


def test_a_training_starts_from_the_layers_it_shares_and_the_rest_is_random(full_spec):
    spec = replace(full_spec, sources=full_spec.sources[:1], preprocessing=TORCHVISION)  # conv4_3 only
    detector = initial_detector(spec, seed=0, initial=from_vgg16(vgg16_weights(torchvision_state()), full_spec))
    found, random = detector.state_dict(), initial_detector(spec, 0).state_dict()
    assert found["features.conv4_3.conv4_1.conv.bias"].unique().tolist() == [17]
    assert torch.equal(found["heads.conv4_3.logits.weight"], random["heads.conv4_3.logits.weight"])


def test_a_narrow_detector_is_refused_with_both_shapes(full_spec, narrow_spec):
    with pytest.raises(ValueError, match=r"conv1_1.conv.weight is \(64, 3, 3, 3\).*\(4, 3, 3, 3\)"):
        initial_detector(narrow_spec, seed=0, initial=from_vgg16(vgg16_weights(torchvision_state()), full_spec))


def test_a_vgg_with_batch_normalisation_is_refused():
    with torch.device("meta"):
        from torchvision.models import vgg16_bn

        state = vgg16_bn(weights=None).state_dict()
    with pytest.raises(ValueError, match=r"lacks features\.2\.weight"):
        vgg16_weights(state)


def test_a_file_of_another_kind_is_refused_with_its_first_names():
    stream = io.BytesIO()
    torch.save({"layer1.weight": torch.zeros(1)}, stream)
    stream.seek(0)
    with pytest.raises(ValueError, match=r"not a supported VGG16.*layer1\.weight"):
        vgg16_weights(read_named_tensors(stream))


def test_a_file_that_is_not_a_state_dict_is_refused():
    stream = io.BytesIO()
    torch.save([1, 2], stream)
    stream.seek(0)
    with pytest.raises(ValueError, match="expected a state dict"):
        vgg16_weights(read_named_tensors(stream))


CAFFE_NAMES = (
    "conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv3_3",
    "conv4_1", "conv4_2", "conv4_3", "conv5_1", "conv5_2", "conv5_3", "fc6", "fc7",
)  # fmt: skip


def caffe_blobs(state, names):
    """The tensors as blobs of a Caffe model, with one layer more than needed."""
    blobs = {
        f"{caffe}/{place}": state[f"{name}.{kind}"]
        for caffe, name in zip(CAFFE_NAMES, names, strict=True)
        for place, kind in enumerate(("weight", "bias"))
    }
    return blobs | {"fc8/0": torch.zeros(1)}


def test_caffes_vgg16_is_torchvisions_in_bgr():
    state = torchvision_state()
    names = [*(f"features.{place}" for place in PLACES), "classifier.0", "classifier.3"]
    ours, theirs = vgg16_weights(caffe_blobs(state, names)), vgg16_weights(state)
    assert ours.preprocessing == CAFFE
    assert (CAFFE.channel_order, CAFFE.mean) == ("bgr", (104, 117, 123))
    assert ours.state.keys() == theirs.state.keys()
    assert all(torch.equal(ours.state[name], theirs.state[name]) for name in theirs.state)


def test_caffes_reduced_vgg16_is_used_unchanged():
    state = reduced_state("")
    ours = vgg16_weights(caffe_blobs(state, [str(place) for place in (*PLACES, 31, 33)]))
    assert ours.preprocessing == CAFFE
    assert all(torch.equal(tensor, vgg16_weights(state).state[name]) for name, tensor in ours.state.items())
