"""torchvision's model compared with ours: the same file and images give the same outputs and detections."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pytest
import torch
from torchvision.models.detection import ssd300_vgg16

from ssd_core.detection.decoding import detections
from ssd_core.detection.limits import DetectionLimits
from ssd_core.spec.vocabularies import COCO_CATEGORIES, COCO_CLASSES
from ssd_core.weights.importing import import_weights
from ssd_core.weights.layouts.layout import ImportChoices


@dataclass(frozen=True)
class Theirs:
    """A file of random weights, an image of 300x300, and torchvision's results for it."""

    file: bytes
    image: torch.Tensor
    locations: torch.Tensor
    logits: torch.Tensor
    corners: torch.Tensor
    found: dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def theirs() -> Theirs:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = ssd300_vgg16(weights=None, weights_backbone=None).eval()
    _calm(model)
    image = torch.randint(0, 256, (3, 300, 300), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    stream = io.BytesIO()
    torch.save(model.state_dict(), stream)
    with torch.no_grad():
        images, _ = model.transform([image / 255])
        features = list(model.backbone(images.tensors).values())
        outputs = model.head(features)
        anchors = model.anchor_generator(images, features)
        (found,) = model.postprocess_detections(outputs, anchors, images.image_sizes)
    return Theirs(stream.getvalue(), image, outputs["bbox_regression"], outputs["cls_logits"], anchors[0] / 300, found)


@torch.no_grad()
def _calm(model: torch.nn.Module) -> None:
    """Make the heads resemble a trained model's: most boxes background, locations of a few units.

    With random heads all logits are in the tens, and 8732 boxes of 91 classes pass the threshold.
    """
    for part, factor in (("classification_head", 0.2), ("regression_head", 0.1)):
        for layer in getattr(model.head, part).module_list:
            layer.weight *= factor
            if part == "classification_head":
                layer.bias.view(-1, 91)[:, 0] = 3


def test_raw_outputs_of_an_imported_model_are_torchvisions(theirs):
    detector = import_weights(io.BytesIO(theirs.file), ImportChoices(layout="torchvision")).detector()
    assert detector.spec.classes == COCO_CLASSES
    with torch.no_grad():
        locations, logits = detector(theirs.image[None])
    torch.testing.assert_close(locations, theirs.locations, atol=1e-4, rtol=0)
    torch.testing.assert_close(logits, theirs.logits[..., [0, *COCO_CATEGORIES]], atol=1e-4, rtol=0)


def test_default_boxes_are_torchvisions(theirs):
    boxes_cxcywh = import_weights(io.BytesIO(theirs.file)).detector().default_boxes
    corners = torch.cat(
        [boxes_cxcywh[:, :2] - boxes_cxcywh[:, 2:] / 2, boxes_cxcywh[:, :2] + boxes_cxcywh[:, 2:] / 2], 1
    )
    torch.testing.assert_close(corners, theirs.corners, atol=1e-6, rtol=0)


def test_with_all_classes_given_and_clipping_chosen_detections_are_torchvisions(theirs):
    named = tuple(COCO_CATEGORIES.get(number, f"unused {number}") for number in range(1, 91))
    detector = import_weights(io.BytesIO(theirs.file), ImportChoices(classes=named)).detector()
    with torch.no_grad():
        locations, logits = detector(theirs.image[None])
    limits = DetectionLimits(min_score=0.01, per_class=400, max_iou=0.45, per_image=200, clip=True)
    found = detections(locations, logits, detector.default_boxes, detector.spec.variances, limits)
    assert len(found.scores) == 200
    assert (found.labels + 1).tolist() == theirs.found["labels"].tolist()
    torch.testing.assert_close(found.scores, theirs.found["scores"], atol=1e-5, rtol=0)
    torch.testing.assert_close(found.boxes_xyxy * 300, theirs.found["boxes"], atol=1e-2, rtol=0)
    assert found.boxes_xyxy.min() == 0  # some were clipped
