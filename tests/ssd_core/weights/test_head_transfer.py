"""Outputs kept from COCO to VOC; numbers from data/VOC0712/coco_voc_map.txt of weiliu89/caffe."""

from __future__ import annotations

import pytest
import torch

from ssd_core.network.model import Detector
from ssd_core.spec.paper import ssd300
from ssd_core.spec.vocabularies import COCO_CLASSES, COCO_TO_VOC, VOC_CLASSES
from ssd_core.weights.head_transfer import transferred
from ssd_core.weights.weights import Weights

COCO_OF_VOC = (5, 2, 15, 9, 40, 6, 3, 16, 57, 20, 61, 17, 18, 4, 1, 59, 19, 58, 7, 63)


@pytest.fixture(scope="module")
def coco() -> Weights:
    """Weights whose biases identify their output; 81 per box."""
    spec = ssd300(COCO_CLASSES, scales="coco")
    state = Detector(spec, torch.Generator().manual_seed(0)).state_dict()
    for name in state:
        if name.endswith("logits.bias"):
            state[name] = torch.arange(len(state[name])).float()
    return Weights(spec=spec, state=state)


def test_each_box_keeps_its_background_and_the_twenty_classes_of_voc(coco):
    voc = transferred(coco, VOC_CLASSES, COCO_TO_VOC)
    kept = voc.state["heads.conv4_3.logits.bias"].view(4, 21)
    for box in range(4):
        assert kept[box].tolist() == [81 * box + output for output in (0, *COCO_OF_VOC)]
    weight = coco.state["heads.conv7.logits.weight"]
    assert torch.equal(voc.state["heads.conv7.logits.weight"][21 + 5], weight[81 + 40])  # bottle of the second box


def test_locations_and_scales_stay_those_of_coco(coco):
    voc = transferred(coco, VOC_CLASSES, COCO_TO_VOC)
    assert voc.spec == ssd300(VOC_CLASSES, scales="coco")
    assert torch.equal(voc.state["heads.conv9_2.locations.weight"], coco.state["heads.conv9_2.locations.weight"])
    voc.detector()


def test_a_class_that_the_weights_lack_is_named(coco):
    with pytest.raises(ValueError, match="have no class for zebu"):
        transferred(coco, ("cat", "zebu"), COCO_TO_VOC)
