import tarfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import nms

from ssd_core.boxes.coding import decode
from ssd_core.boxes.default_boxes import default_boxes
from ssd_core.boxes.frames import pairwise_iou, to_cxcywh, to_xyxy
from ssd_core.detection.decoding import Detections, best_candidates, detect, detections, spans
from ssd_core.detection.limits import DetectionLimits
from ssd_core.detection.static_suppression import PASSES, static_detections
from ssd_core.network.model import Detector
from ssd_core.spec.paper import ssd300

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


# --- the best candidates of an image suffice


def class_by_class(locations, logits, default_boxes_cxcywh, limits):
    """Detections from the best 400 boxes of each class of each image; equal scores by class, then by box."""
    boxes_xyxy = to_xyxy(decode(locations, default_boxes_cxcywh, VARIANCES))
    if limits.clip:
        boxes_xyxy = boxes_xyxy.clamp(0, 1)
    parts = []
    for image, scores in enumerate(logits.softmax(dim=2)[..., 1:]):
        found = []
        for label, own in enumerate(scores.unbind(dim=1)):
            best = own.sort(descending=True, stable=True).indices[: limits.per_class]
            best = best[own[best] > limits.min_score]
            best = best[nms(boxes_xyxy[image, best].double(), own[best].double(), limits.max_iou)]
            found.append((torch.full_like(best, image), torch.full_like(best, label), own[best], best))
        images, labels, best, box = (torch.cat(each) for each in zip(*found, strict=True))
        order = best.sort(descending=True, stable=True).indices[: limits.per_image]
        parts.append((images[order], labels[order], best[order], boxes_xyxy[image, box[order]]))
    return Detections(*(torch.cat(each) for each in zip(*parts, strict=True)))


def assert_as_class_by_class(boxes_xyxy, logits, limits=None, locations=None):
    default_boxes_cxcywh = to_cxcywh(boxes_xyxy)
    if locations is None:
        locations = torch.zeros(*logits.shape[:2], 4)
    expected = class_by_class(locations, logits, default_boxes_cxcywh, limits or DetectionLimits())
    for static in (True, False):
        found = detections(locations, logits, default_boxes_cxcywh, VARIANCES, limits, static_shapes=static)
        for values, others in zip(found, expected, strict=True):
            assert torch.equal(values, others)
    return found


def grid_boxes(count, generator, largest=8):
    """Boxes with corners in sixty-fourths, whose overlaps are exact in any shifted frame."""
    low = torch.randint(0, 56, (count, 2), generator=generator)
    return torch.cat([low, low + torch.randint(1, largest + 1, (count, 2), generator=generator)], dim=1) / 64


LIMITS = (
    DetectionLimits(),
    DetectionLimits(per_image=3),
    DetectionLimits(per_image=20, per_class=10),
    DetectionLimits(per_class=4),
    DetectionLimits(min_score=0.3, per_image=7),
    DetectionLimits(min_score=0.0, per_image=30),
    DetectionLimits(max_iou=0.05, clip=True, per_image=15),
)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    count=st.sampled_from([1, 30, 700]),
    classes=st.integers(1, 9),
    images=st.integers(0, 3),
    background=st.sampled_from([-3.0, 0.0, 3.0, 6.0]),
    steps=st.sampled_from([1, 4, 1000]),
    limits=st.sampled_from(LIMITS),
)
def test_detections_are_those_of_suppressing_class_by_class(seed, count, classes, images, background, steps, limits):
    """With few steps of the logits, equal scores are common."""
    generator = torch.Generator().manual_seed(seed)
    logits = (2 * steps * torch.randn(images, count, classes + 1, generator=generator)).round() / steps
    logits[..., 0] += background
    if images:
        assert_as_class_by_class(grid_boxes(count, generator, largest=29), logits, limits)
    else:
        found = detections(torch.zeros(0, count, 4), logits, grid_boxes(count, generator), VARIANCES, limits)
        assert [len(values) for values in found] == [0, 0, 0, 0]


@pytest.mark.parametrize("background", [2.0, 6.0, 9.0, 12.0])  # from 170,000 candidates in the batch to none
def test_detections_of_the_papers_boxes_are_those_of_suppressing_class_by_class(background):
    generator = torch.Generator().manual_seed(0)
    boxes_xyxy = to_xyxy(default_boxes(ssd300()))
    logits = 1.5 * torch.randn(2, len(boxes_xyxy), 21, generator=generator)
    logits[..., 0] += background
    locations = torch.randn(2, len(boxes_xyxy), 4, generator=generator)
    assert_as_class_by_class(boxes_xyxy, logits, locations=locations)


@pytest.mark.parametrize("classes", [1, 20])
def test_twenty_thousand_boxes_that_suppress_each_other_hide_none_of_the_others(classes):
    # 20,000 in one place, in one class or in all, and far below them in score 300 elsewhere
    generator = torch.Generator().manual_seed(classes)
    place = torch.tensor([[0.25, 0.25, 0.75, 0.75]]).repeat(20_000, 1)
    side = torch.cartesian_prod(torch.arange(20), torch.arange(15)) / 32
    boxes_xyxy = torch.cat([place, torch.cat([side, side + 1 / 32], dim=1)])
    logits = torch.full((2, len(boxes_xyxy), classes + 1), -9.0)
    logits[..., 0] = 0
    logits[0, :20_000, 1:] = 2 + torch.rand(20_000, classes, generator=generator)
    logits[:, 20_000:, 1:] = -1 - torch.rand(2, 300, classes, generator=generator)
    limits = DetectionLimits(per_class=30_000)
    found = assert_as_class_by_class(boxes_xyxy, logits, limits)
    assert (found.images == 0).sum() == 200
    assert len(assert_as_class_by_class(boxes_xyxy, logits).scores) == 200 + classes  # the top 400 hide the others


def test_of_equal_scores_the_lower_class_and_then_the_first_box_comes_first():
    boxes = [BOX, FAR]
    found = detected(boxes, [[0.3, 0.3], [0.3, 0.3]])
    assert found.labels.tolist() == [0, 0, 1, 1]
    assert found.boxes_xyxy.tolist() == [*boxes, *boxes]


def test_hundreds_of_equal_scores_are_examined_all_or_none():
    generator = torch.Generator().manual_seed(0)
    logits = torch.zeros(1, 900, 3)
    logits[:, 450:, 1] = 0.5
    assert_as_class_by_class(grid_boxes(900, generator), logits)


@pytest.mark.parametrize("count", [1, 50, 699, 700, 2000])
@pytest.mark.parametrize("steps", [1, 1000])
def test_the_computation_of_a_gpu_finds_the_same_candidates(count, steps):
    generator = torch.Generator().manual_seed(count)
    logits = (2 * steps * torch.randn(3, 700, 4, generator=generator)).round() / steps
    logits[0, :, 0] += 9
    dense, bar = best_candidates(logits, count, 0.01, dense=True)
    sparse, other_bar = best_candidates(logits, count, 0.01, dense=False)
    assert torch.equal(bar, other_bar)
    for values, others in zip(dense, sparse, strict=True):
        assert torch.equal(values, others)


def test_detections_of_real_predictions_are_those_of_suppressing_class_by_class(real_data: Callable[[str], Path]):
    """Boxes and scores of a real detector on VOC2007; those of forty images are taken for the predictions of one."""
    predictions = defaultdict(list)
    with tarfile.open(real_data("voc2007_eval") / "dets_tinyyolov2_qfdong.tar.xz") as archive:
        files = sorted((member for member in archive if member.name.endswith(".txt")), key=lambda file: file.name)
        for label, file in enumerate(files):
            for line in archive.extractfile(file).read().decode().splitlines():
                image, *numbers = line.split()
                if int(image) < 1000:
                    predictions[int(image) // 80].append((label, *map(float, numbers)))
    candidates = []
    for table in map(torch.tensor, predictions.values()):
        labels, scores, boxes_xyxy = table[:, 0].long(), table[:, 1].double().clamp(max=0.999), table[:, 2:] / 500
        logits = torch.full((1, len(table), 21), -30.0, dtype=torch.float64)
        logits[0, :, 0] = (1 - scores).log()
        logits[0, torch.arange(len(table)), labels + 1] = scores.log()
        found = assert_as_class_by_class(boxes_xyxy, logits.float())
        assert len(found.scores) == 200
        candidates.append(int((scores > 0.01).sum()))
    assert len(candidates) == 13
    assert min(candidates) > 400


def crowd(count, generator):
    """Predictions of one class around ten objects."""
    centre, jitter = torch.rand(10, 2, generator=generator), torch.randn(count, 4, generator=generator)
    of = torch.arange(count) % 10
    boxes_cxcywh = torch.cat([centre[of] + 0.03 * jitter[:, :2], 0.3 * torch.exp(0.2 * jitter[:, 2:])], dim=1)
    logits = torch.stack([torch.zeros(count), 2 * torch.randn(count, generator=generator)], dim=1)
    return torch.zeros(1, count, 4), logits[None], boxes_cxcywh


@pytest.mark.parametrize(("count", "complete"), [(500, True), (3000, False)])
def test_first_candidates_that_do_not_suffice_are_marked_and_the_image_is_computed_with_dynamic_shapes(count, complete):
    locations, logits, boxes_cxcywh = crowd(count, torch.Generator().manual_seed(0))
    first = static_detections(locations, logits, boxes_cxcywh, VARIANCES, DetectionLimits())
    assert first.complete.tolist() == [complete]
    assert 20 < first.kept.sum() < 200
    static, dynamic = (
        detections(locations, logits, boxes_cxcywh, VARIANCES, static_shapes=each) for each in (True, False)
    )
    for values, others in zip(static, dynamic, strict=True):
        assert torch.equal(values, others)


def test_a_chain_of_more_suppressions_than_passes_is_marked_as_incomplete():
    # each overlaps the next by 0.6: every second one is kept, as the best one decides
    low = torch.arange(2 * PASSES) / 64
    boxes_xyxy = torch.stack([low, torch.zeros_like(low), low + 4 / 64, torch.ones_like(low)], dim=1)
    logits = torch.stack([torch.zeros_like(low), 3 - low], dim=1)[None]
    first = static_detections(torch.zeros(1, len(low), 4), logits, to_cxcywh(boxes_xyxy), VARIANCES, DetectionLimits())
    assert first.complete.tolist() == [False]
    assert len(assert_as_class_by_class(boxes_xyxy, logits).scores) == PASSES


def test_images_in_parts_are_those_at_once(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    boxes_xyxy = grid_boxes(700, generator)
    predictions = torch.zeros(3, 700, 4), torch.randn(3, 700, 4, generator=generator), to_cxcywh(boxes_xyxy)
    whole = static_detections(*predictions, VARIANCES, DetectionLimits())
    monkeypatch.setattr("ssd_core.detection.static_suppression.MOST_PAIRS", 2 * 512**2)
    for values, others in zip(static_detections(*predictions, VARIANCES, DetectionLimits()), whole, strict=True):
        assert torch.equal(values, others)


def test_images_share_a_call_of_the_suppression_until_they_hold_too_many_candidates():
    assert list(spans([3, 2, 5, 9, 0, 1, 4], most=6)) == [(0, 5), (5, 10), (10, 19), (19, 24)]
    assert list(spans([], most=6)) == [(0, 0)]
