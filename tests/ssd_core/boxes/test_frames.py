import torch

from ssd_core.boxes.frames import inside_image, pairwise_iou, to_cxcywh, to_xyxy


def test_the_two_frames_describe_the_same_box():
    boxes_cxcywh = torch.tensor([[0.5, 0.25, 0.5, 0.125]])
    boxes_xyxy = torch.tensor([[0.25, 0.1875, 0.75, 0.3125]])
    torch.testing.assert_close(to_xyxy(boxes_cxcywh), boxes_xyxy, rtol=0, atol=0)
    torch.testing.assert_close(to_cxcywh(boxes_xyxy), boxes_cxcywh, rtol=0, atol=0)


def test_iou_of_boxes_computed_by_hand():
    boxes = torch.tensor([[[0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.0, 0.0]]])
    others = torch.tensor(
        [[0.0, 0.0, 0.5, 0.5], [0.25, 0.0, 0.75, 0.5], [0.5, 0.5, 1.0, 1.0], [0.125, 0.125, 0.375, 0.375]]
    )
    # same; 1/8 of 3/8; touching at a corner; one inside the other, 1/16 of 1/4; a box without area meets nothing
    expected = torch.tensor([[[1, 1 / 3, 0, 0.25], [0, 0, 0, 0]]])
    torch.testing.assert_close(pairwise_iou(boxes, others), expected)


def test_two_boxes_without_area_do_not_overlap():
    point = torch.tensor([[0.5, 0.5, 0.5, 0.5]])
    assert pairwise_iou(point, point).item() == 0


def test_a_box_that_touches_the_border_is_inside_and_one_beyond_it_is_not():
    boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0], [-1e-6, 0.0, 0.5, 0.5], [0.0, 0.0, 0.5, 1.0001]])
    assert inside_image(boxes).tolist() == [True, False, False]
