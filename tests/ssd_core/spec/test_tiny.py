"""The tiny detector has the architecture of SSD, only smaller."""

from __future__ import annotations

import pytest
import torch

from ssd_core.network.model import Detector
from ssd_core.spec.paper import ssd300
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.spec.vocabularies import VOC_CLASSES


def test_the_same_six_layers_predict_and_their_maps_shrink_to_one_cell():
    spec = ssd_tiny(VOC_CLASSES)
    cells = [spec.cells()[source.layer] for source in spec.sources]
    assert [source.layer for source in spec.sources] == [source.layer for source in ssd300().sources]
    assert cells == sorted(set(cells), reverse=True)
    assert cells[-1] == 1
    assert 128 <= spec.input_size <= 160


def test_centres_of_the_boxes_span_the_input():
    spec = ssd_tiny(VOC_CLASSES)
    for source in spec.sources:
        assert source.step * spec.cells()[source.layer] == pytest.approx(spec.input_size)


@pytest.mark.parametrize("size", [130, 160])
def test_boxes_cover_the_same_fractions_of_the_image_as_ssd300s(size: int):
    for tiny, paper in zip(ssd_tiny(VOC_CLASSES, size).sources, ssd300().sources, strict=True):
        assert [scale.ratios for scale in tiny.scales] == [scale.ratios for scale in paper.scales]
        for small, large in zip(tiny.scales, paper.scales, strict=True):
            assert small.size / size == pytest.approx(large.size / 300)
            assert small.next_size / size == pytest.approx(large.next_size / 300)


def test_it_is_built_for_any_classes_and_far_smaller_than_ssd300():
    spec = ssd_tiny(("cat", "dog"))
    detector = Detector(spec)
    locations, logits = detector.eval()(torch.zeros(1, 3, spec.input_size, spec.input_size, dtype=torch.uint8))
    assert locations.shape == (1, spec.box_count, 4)
    assert logits.shape == (1, spec.box_count, 3)
    assert sum(parameter.numel() for parameter in detector.parameters()) < 1_000_000
