import pytest
import torch

from ssd_core.boxes.coding import decode
from ssd_core.boxes.frames import pairwise_iou, to_cxcywh, to_xyxy
from ssd_core.detection.decoding import detect, detections
from ssd_core.detection.limits import DetectionLimits
from ssd_core.network.model import Detector

VARIANCES = (0.1, 0.2)


def logits_of(*boxes):
    """Logits whose softmax gives each box these class scores, and the rest to background."""
    scores = torch.tensor(boxes, dtype=torch.float64)
    return torch.cat([1 - scores.sum(dim=-1, keepdim=True), scores], dim=-1).log()


def detected(boxes_xyxy, *images, limits=None):
    """Detections of a network that predicts the default boxes themselves; `images` are scores (K, classes)."""
    boxes_cxcywh = to_cxcywh(torch.tensor(boxes_xyxy, dtype=torch.float64))
    locations = torch.zeros(len(images), len(boxes_xyxy), 4, dtype=torch.float64)
    return detections(locations, logits_of(*images), boxes_cxcywh, VARIANCES, limits)


BOX = [0.0, 0.0, 0.5, 0.5]
FAR = [0.5, 0.5, 1.0, 1.0]
# 29 / 64 wide and 11 / 64 apart: intersection 18, union 40, exactly 0.45
WIDE = [0.0, 0.0, 29 / 64, 0.5]
AT_THE_LIMIT = [11 / 64, 0.0, 40 / 64, 0.5]
BEYOND_IT = [10 / 64, 0.0, 39 / 64, 0.5]


def test_an_overlap_of_exactly_the_limit_is_kept_and_more_is_suppressed():
    assert len(detected([WIDE, AT_THE_LIMIT], [[0.9], [0.8]]).scores) == 2
    suppressed = detected([WIDE, BEYOND_IT], [[0.8], [0.9]])
    assert suppressed.scores.tolist() == pytest.approx([0.9])
    torch.testing.assert_close(suppressed.boxes_xyxy, torch.tensor([BEYOND_IT], dtype=torch.float64))


def test_a_suppressed_box_suppresses_no_other():
    third = [20 / 64, 0.0, 49 / 64, 0.5]  # overlaps the second alone by more than the limit
    assert detected([WIDE, BEYOND_IT, third], [[0.9], [0.8], [0.7]]).scores.tolist() == pytest.approx([0.9, 0.7])


def test_a_score_of_exactly_the_minimum_is_dropped():
    boxes = detections(
        torch.zeros(1, 2, 4),
        torch.zeros(1, 2, 2),
        to_cxcywh(torch.tensor([BOX, FAR])),
        VARIANCES,
        DetectionLimits(min_score=0.5),
    )
    assert len(boxes.scores) == 0  # softmax of equal logits is exactly 0.5
    assert detected([BOX, FAR], [[0.0101], [0.0099]]).scores.tolist() == pytest.approx([0.0101])


def test_classes_and_images_do_not_suppress_each_other():
    found = detected([BOX, BOX], [[0.5, 0.3], [0.4, 0.2]], [[0.6, 0.1], [0.3, 0.2]])
    assert found.images.tolist() == [0, 0, 1, 1]
    assert found.labels.tolist() == [0, 1, 0, 1]
    assert found.scores.tolist() == pytest.approx([0.5, 0.3, 0.6, 0.2])


def test_boxes_outside_the_image_do_not_suppress_those_of_another_class():
    outside = [-2.0, -2.0, -1.0, -1.0]
    whole = [0.0, 0.0, 1.0, 1.0]
    found = detected([whole, outside], [[0.9, 0.001], [0.001, 0.8]])
    assert found.boxes_xyxy.tolist() == [pytest.approx(whole), pytest.approx(outside)]


def test_boxes_are_not_clipped():
    beyond = [-0.25, 0.5, 0.25, 1.5]
    assert detected([beyond], [[0.9]]).boxes_xyxy.tolist() == [pytest.approx(beyond)]


def test_boxes_are_clipped_on_request_and_before_the_suppression():
    # inside the image both are the same quarter; unclipped they overlap by 1 / 3
    low, high = [-0.5, 0.0, 0.5, 0.5], [0.0, -0.5, 0.5, 0.5]
    assert len(detected([low, high], [[0.9], [0.8]]).scores) == 2
    clipped = detected([low, high], [[0.9], [0.8]], limits=DetectionLimits(clip=True))
    assert clipped.boxes_xyxy.tolist() == [pytest.approx([0.0, 0.0, 0.5, 0.5])]


def test_only_the_top_boxes_of_a_class_enter_the_suppression():
    # the second would be suppressed by the first; the third never gets in
    limits = DetectionLimits(per_class=2)
    assert detected([BOX, BOX, FAR], [[0.9], [0.8], [0.7]], limits=limits).scores.tolist() == pytest.approx([0.9])


def test_an_image_keeps_its_top_detections_over_all_classes_in_descending_order():
    generator = torch.Generator().manual_seed(0)
    side = 20
    corner = torch.cartesian_prod(torch.arange(side), torch.arange(side)) / side
    apart = torch.cat([corner, corner + 0.9 / side], dim=1).tolist()  # 400 boxes that do not touch
    scores = torch.rand(2, 400, 2, generator=generator) * 0.4 + 0.05
    found = detected(apart, *scores.tolist())
    for image in (0, 1):
        own = found.scores[found.images == image].tolist()
        assert own == pytest.approx(scores[image].flatten().sort(descending=True).values[:200].tolist())


def test_no_detections_are_legal():
    found = detected([BOX], [[0.001]])
    assert [len(values) for values in found] == [0, 0, 0, 0]


def plain_detections(boxes, scores):
    """Decode one image in plain Python: (score, label, box), descending; no two scores are equal."""
    kept = []
    for label in range(len(scores[0])):
        order = sorted(
            (box for box in range(len(boxes)) if scores[box][label] > 0.01), key=lambda box: -scores[box][label]
        )
        own: list[int] = []
        for box in order[:400]:
            if all(pairwise_iou(boxes[None, box], boxes[None, other]).item() <= 0.45 for other in own):
                own.append(box)
        kept += [(scores[box][label], label, box) for box in own]
    return sorted(kept, reverse=True)[:200]


@pytest.mark.parametrize(
    "count", [40, 120]
)  # below and above the number where torchvision turns from shifting to looping
def test_random_predictions_are_suppressed_as_if_box_by_box(count):
    generator = torch.Generator().manual_seed(count)
    images, classes = 3, 4
    boxes_cxcywh = torch.rand(count, 4, generator=generator, dtype=torch.float64) * 0.4 + 0.2
    locations = torch.randn(images, count, 4, generator=generator, dtype=torch.float64) * 0.5
    logits = torch.randn(images, count, classes + 1, generator=generator, dtype=torch.float64) * 2
    found = detections(locations, logits, boxes_cxcywh, VARIANCES)

    boxes_xyxy = to_xyxy(decode(locations, boxes_cxcywh, VARIANCES))
    scores = logits.softmax(dim=2)[..., 1:]
    for image in range(images):
        expected = plain_detections(boxes_xyxy[image], scores[image].tolist())
        own = found.images == image
        assert found.labels[own].tolist() == [label for _, label, _ in expected]
        assert found.scores[own].tolist() == pytest.approx([score for score, _, _ in expected])
        torch.testing.assert_close(found.boxes_xyxy[own], boxes_xyxy[image, [box for _, _, box in expected]])


def test_a_detector_yields_detections_of_its_images(narrow_spec):
    detector = Detector(narrow_spec, torch.Generator().manual_seed(0)).eval()
    images = torch.zeros(2, 3, 128, 128, dtype=torch.uint8)
    found = detect(detector, images, DetectionLimits(per_image=5)).cpu()
    assert found.images.tolist() == [0] * 5 + [1] * 5
    assert torch.equal(found.scores[:5], found.scores[5:])
