"""Detections from an image and its mirror image."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ssd_core.boxes.coding import decode
from ssd_core.boxes.frames import to_xyxy
from ssd_core.detection.decoding import Detections, detect
from ssd_core.detection.limits import DetectionLimits
from ssd_core.detection.predicting import predict
from ssd_core.network.model import Detector
from ssd_core.spec.tiny import ssd_tiny

SPEC = ssd_tiny(("cat", "dog"))


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(SPEC, torch.Generator().manual_seed(0)).eval()


@pytest.fixture(scope="module")
def images() -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (2, 3, SPEC.input_size, SPEC.input_size), generator=generator, dtype=torch.uint8)


def mirrored(boxes_xyxy: Tensor) -> Tensor:
    left, top, right, bottom = boxes_xyxy.unbind(-1)
    return torch.stack([1 - right, top, 1 - left, bottom], dim=-1)


@torch.no_grad()
def test_the_second_half_of_the_predictions_are_those_of_the_mirrored_image_mirrored_back(
    detector: Detector, images: Tensor
) -> None:
    own = detector.default_boxes
    locations, logits, boxes = predict(detector, images, own, flip=True)
    one, other = detector(images), detector(images.flip(3))
    assert torch.equal(locations[:, : len(own)], one[0])
    assert torch.equal(logits, torch.cat([one[1], other[1]], dim=1))
    decoded = to_xyxy(decode(locations, boxes, SPEC.variances))
    torch.testing.assert_close(decoded[:, len(own) :], mirrored(to_xyxy(decode(other[0], own, SPEC.variances))))


@torch.no_grad()
def test_without_it_the_network_runs_once(detector: Detector, images: Tensor) -> None:
    locations, logits, boxes = predict(detector, images, detector.default_boxes, flip=False)
    assert boxes is detector.default_boxes
    assert torch.equal(logits, detector(images)[1])
    assert torch.equal(locations, detector(images)[0])


def test_an_image_and_its_mirror_image_have_mirrored_detections(detector: Detector, images: Tensor) -> None:
    limits = DetectionLimits(flip=True, per_image=50, min_score=0.34)
    plain, reverse = detect(detector, images, limits), detect(detector, images.flip(3), limits)
    assert len(plain.scores) > 50
    for name in ("images", "labels"):
        assert torch.equal(getattr(plain, name), getattr(reverse, name))
    torch.testing.assert_close(plain.scores, reverse.scores)
    torch.testing.assert_close(plain.boxes_xyxy, mirrored(reverse.boxes_xyxy), rtol=1e-4, atol=1e-5)
    assert not equal(plain, detect(detector, images, DetectionLimits(per_image=50, min_score=0.34)))


def equal(one: Detections, other: Detections) -> bool:
    return len(one.scores) == len(other.scores) and torch.equal(one.scores, other.scores)
