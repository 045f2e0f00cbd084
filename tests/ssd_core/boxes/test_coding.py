import math

import torch

from ssd_core.boxes.coding import decode, encode

VARIANCES = (0.1, 0.2)


def test_offsets_of_a_box_computed_by_hand():
    default_cxcywh = torch.tensor([[0.5, 0.5, 0.2, 0.4]])
    box_cxcywh = torch.tensor([[0.55, 0.4, 0.4, 0.2]])
    # 0.05 / 0.2 / 0.1; -0.1 / 0.4 / 0.1; log(2) / 0.2; log(0.5) / 0.2
    expected = torch.tensor([[2.5, -2.5, math.log(2) / 0.2, -math.log(2) / 0.2]])
    torch.testing.assert_close(encode(box_cxcywh, default_cxcywh, VARIANCES), expected)


def test_decoding_inverts_encoding():
    generator = torch.Generator().manual_seed(0)
    boxes_cxcywh, default_cxcywh = torch.rand(2, 100, 4, dtype=torch.float64, generator=generator) + 0.01
    encoded = encode(boxes_cxcywh, default_cxcywh, VARIANCES)
    torch.testing.assert_close(decode(encoded, default_cxcywh, VARIANCES), boxes_cxcywh)


def test_a_prediction_of_zero_is_the_default_box():
    default_cxcywh = torch.tensor([[0.5, 0.5, 0.2, 0.4]])
    torch.testing.assert_close(
        decode(torch.zeros(3, 1, 4), default_cxcywh, VARIANCES)[2], default_cxcywh, rtol=0, atol=0
    )
