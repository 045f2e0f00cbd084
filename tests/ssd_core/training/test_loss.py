import math

import pytest
import torch

from ssd_core.boxes.default_boxes import default_boxes
from ssd_core.boxes.frames import to_cxcywh
from ssd_core.boxes.matching import IGNORED, NEGATIVE, Matches, match
from ssd_core.boxes.objects import Objects
from ssd_core.spec.paper import ssd300
from ssd_core.training.loss import check_counts, hard_negatives, multibox_loss

SPEC = ssd300()
LEFT = [0.0, 0.0, 0.5, 0.5]
RIGHT = [0.5, 0.0, 1.0, 0.5]
BELOW = [0.5, 0.5, 1.0, 1.0]
BOXES_CXCYWH = to_cxcywh(
    torch.tensor([LEFT, RIGHT, BELOW, [0.0, 0.5, 0.5, 1.0], [0.25, 0.25, 0.5, 0.5], [0.1, 0.6, 0.3, 0.9]])
)


def one_object(box, label=0, images=1):
    return Objects(
        torch.tensor([[box]]).repeat(images, 1, 1),
        torch.full((images, 1), label),
        torch.ones(images, 1, dtype=torch.bool),
    )


def loss_of(locations, logits, objects):
    matches = match(BOXES_CXCYWH, objects, SPEC)
    loss, static = (
        multibox_loss(locations, logits, matches, objects, BOXES_CXCYWH.to(locations.dtype), SPEC, static_shapes=static)
        for static in (False, True)
    )
    torch.testing.assert_close(static, loss)
    return loss


def mined(truth, scores):
    """Hard negatives of one image whose boxes have these logits for the only class, and 0 for background."""
    matches = Matches(torch.tensor([truth]), torch.zeros(1, len(truth)))
    logits = torch.stack([torch.zeros(len(scores)), torch.tensor(scores)], dim=1)[None]
    return hard_negatives(logits, matches)[0].nonzero().flatten().tolist()


def test_a_loss_computed_by_hand():
    # one of six boxes is matched and three negatives are taken, each log 3 for equal logits of three classes;
    # locations are off by 0.5 in x and by 2 in height: 0.5 * 0.25 and 2 - 0.5
    locations = torch.zeros(1, 6, 4)
    locations[0, 0] = torch.tensor([0.5, 0, 0, -2])
    loss = loss_of(locations, torch.zeros(1, 6, 3), one_object(LEFT))
    assert loss.location.item() == pytest.approx(1.625)
    assert loss.confidence.item() == pytest.approx(4 * math.log(3))
    assert loss.matched.item() == 1


def test_the_class_of_a_matched_box_is_one_above_its_label():
    logits = torch.zeros(1, 6, 3)
    logits[0, 0, 2] = 30  # certain of the second class
    logits[0, 1:, 0] = 30  # and of background elsewhere
    assert loss_of(torch.zeros(1, 6, 4), logits, one_object(LEFT, label=1)).confidence.item() < 1e-6


def test_nothing_matched_gives_zero_and_zero_gradients():
    nothing = Objects(torch.zeros(2, 1, 4), torch.zeros(2, 1, dtype=torch.long), torch.zeros(2, 1, dtype=torch.bool))
    locations = torch.ones(2, 6, 4, requires_grad=True)
    logits = torch.ones(2, 6, 3, requires_grad=True)
    loss = loss_of(locations, logits, nothing)
    assert (loss.location.item(), loss.confidence.item(), loss.matched.item()) == (0, 0, 0)
    (loss.location + loss.confidence).backward()
    assert not locations.grad.any()
    assert not logits.grad.any()


def test_a_batch_has_the_sum_of_the_losses_of_its_images():
    generator = torch.Generator().manual_seed(0)
    locations = torch.randn(2, 6, 4, generator=generator)
    logits = torch.randn(2, 6, 3, generator=generator)
    both = loss_of(locations, logits, one_object(LEFT, images=2))
    single = [loss_of(locations[i : i + 1], logits[i : i + 1], one_object(LEFT)) for i in range(2)]
    for whole, first, second in zip(both, *single, strict=True):
        torch.testing.assert_close(whole, first + second)


def test_half_precision_outputs_are_promoted_before_the_loss():
    generator = torch.Generator().manual_seed(0)
    locations = torch.randn(1, 6, 4, generator=generator).bfloat16()
    logits = torch.randn(1, 6, 3, generator=generator).bfloat16()
    half, single = (
        loss_of(*outputs, one_object(LEFT)) for outputs in ((locations, logits), (locations.float(), logits.float()))
    )
    assert half.confidence.dtype == torch.float32
    assert (half.location, half.confidence) == (single.location, single.confidence)


def test_the_gradient_is_that_of_finite_differences():
    generator = torch.Generator().manual_seed(1)
    locations = torch.randn(1, 6, 4, dtype=torch.float64, generator=generator, requires_grad=True)
    logits = torch.randn(1, 6, 3, dtype=torch.float64, generator=generator, requires_grad=True)

    def total(locations, logits):
        loss = loss_of(locations, logits, one_object(LEFT))
        return loss.location + loss.confidence

    assert torch.autograd.gradcheck(total, (locations, logits))


def test_the_gradient_of_a_batch_with_an_image_without_objects_is_that_of_finite_differences():
    generator = torch.Generator().manual_seed(2)
    locations = torch.randn(2, 6, 4, dtype=torch.float64, generator=generator, requires_grad=True)
    logits = torch.randn(2, 6, 3, dtype=torch.float64, generator=generator, requires_grad=True)
    objects = Objects(
        torch.tensor([[LEFT, RIGHT], [LEFT, LEFT]]),
        torch.tensor([[1, 0], [0, 0]]),
        torch.tensor([[True] * 2, [False] * 2]),
    )

    def total(locations, logits):
        loss = loss_of(locations, logits, objects)
        return (loss.location + loss.confidence) / loss.matched

    assert torch.autograd.gradcheck(total, (locations, logits))
    total(locations, logits).backward()
    assert not locations.grad[1].any()
    assert not logits.grad[1].any()


def looped_loss(locations, logits, truth, iou, boxes_xyxy, labels, default_boxes_cxcywh):
    """Location and confidence loss of one image, one box at a time."""
    location, positive, negative = 0.0, 0.0, []
    for box, row in enumerate(logits):
        background = [math.log(sum(math.exp(other - own) for other in row)) for own in row]  # -log of each softmax
        if truth[box] == NEGATIVE and iou[box] < 0.5:
            negative.append(background[0])
        if truth[box] < 0:
            continue
        positive += background[labels[truth[box]] + 1]
        left, top, right, bottom = boxes_xyxy[truth[box]]
        x, y, width, height = default_boxes_cxcywh[box]
        targets = (
            ((left + right) / 2 - x) / width / 0.1,
            ((top + bottom) / 2 - y) / height / 0.1,
            math.log((right - left) / width) / 0.2,
            math.log((bottom - top) / height) / 0.2,
        )
        for own, wanted in zip(locations[box], targets, strict=True):
            off = abs(own - wanted)
            location += off * off / 2 if off < 1 else off - 0.5
    wanted = 3 * sum(1 for owner in truth if owner >= 0)
    return location, positive + sum(sorted(negative, reverse=True)[:wanted])


@pytest.mark.parametrize("static_shapes", [True, False])
@pytest.mark.parametrize("seed", range(10))
def test_the_loss_equals_that_of_a_loop_over_the_boxes(seed, static_shapes):
    generator = torch.Generator().manual_seed(seed)
    low = torch.rand(40, 2, dtype=torch.float64, generator=generator) * 0.7
    boxes = torch.cat([low, low + 0.1 + torch.rand(40, 2, dtype=torch.float64, generator=generator) * 0.4], dim=1)
    tiles, objects_xyxy = to_cxcywh(boxes[:31]), boxes[31:].reshape(3, 3, 4)
    labels = torch.randint(0, 4, (3, 3), generator=generator)
    objects = Objects(objects_xyxy, labels, torch.tensor([[True] * 3, [True, False, False], [False] * 3]))
    locations = torch.randn(3, 31, 4, dtype=torch.float64, generator=generator)
    logits = 3 * torch.randn(3, 31, 5, dtype=torch.float64, generator=generator)
    matches = match(tiles, objects, SPEC)
    loss = multibox_loss(locations, logits, matches, objects, tiles, SPEC, static_shapes=static_shapes)
    expected = [
        looped_loss(*(values.tolist() for values in (*image, tiles)))
        for image in zip(locations, logits, matches.truth, matches.iou, objects_xyxy, labels, strict=True)
    ]
    assert loss.location.item() == pytest.approx(sum(location for location, _ in expected))
    assert loss.confidence.item() == pytest.approx(sum(confidence for _, confidence in expected))


def test_two_positives_take_the_six_worst_of_ten_candidates():
    scores = [9.0, 9.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, -1.0]
    assert mined([0, 1] + [NEGATIVE] * 10, scores) == [5, 6, 7, 8, 9, 10]


def test_three_positives_take_all_of_four_candidates():
    assert mined([0, 0, 1] + [NEGATIVE] * 4, [0.0] * 7) == [3, 4, 5, 6]


def test_an_image_without_positives_takes_no_negatives():
    assert mined([NEGATIVE] * 5, [1.0] * 5) == []


def test_ignored_boxes_are_never_negatives():
    assert mined([0, IGNORED, NEGATIVE, IGNORED], [0.0, 9.0, 0.0, 9.0]) == [2]


def test_a_box_that_overlaps_an_object_by_half_is_not_a_negative():
    matches = Matches(torch.tensor([[0, NEGATIVE, NEGATIVE]]), torch.tensor([[0.9, 0.5, 0.4999]]))
    assert hard_negatives(torch.zeros(1, 3, 2), matches).tolist() == [[False, False, True]]


def test_negatives_are_counted_separately_for_each_image():
    truth = torch.tensor([[0, 0, *[NEGATIVE] * 8], [0, *[NEGATIVE] * 9], [NEGATIVE] * 10])
    chosen = hard_negatives(torch.zeros(3, 10, 2), Matches(truth, torch.zeros(3, 10)))
    assert chosen.sum(dim=1).tolist() == [6, 3, 0]


def test_boxes_of_another_specification_are_refused_with_both_numbers():
    with pytest.raises(ValueError, match=r"5 locations and 5 scores for 6 default boxes"):
        check_counts(torch.zeros(1, 5, 4), torch.zeros(1, 5, 3), BOXES_CXCYWH)


@pytest.mark.parametrize("most", [0, 1, 20])
def test_static_shapes_give_the_same_loss_and_gradient(most):
    generator = torch.Generator().manual_seed(most)
    low = torch.rand(3, most, 2, generator=generator) * 0.5
    objects = Objects(
        torch.cat([low, low + 0.1 + torch.rand(3, most, 2, generator=generator) * 0.4], dim=-1),
        torch.randint(0, 20, (3, most), generator=generator),
        torch.rand(3, most, generator=generator) < 0.7,
    )
    tiles = default_boxes(SPEC)
    matches = match(tiles, objects, SPEC)
    locations = torch.randn(3, len(tiles), 4, generator=generator, requires_grad=True)
    logits = torch.randn(3, len(tiles), 21, generator=generator, requires_grad=True)
    sums, gradients = [], []
    for static_shapes in (False, True):
        loss = multibox_loss(locations, logits, matches, objects, tiles, SPEC, static_shapes=static_shapes)
        sums.append(loss)
        gradients.append(torch.autograd.grad(loss.location + loss.confidence, (locations, logits)))
    torch.testing.assert_close(sums[1], sums[0], rtol=1e-6, atol=0)
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-6, atol=1e-9)
