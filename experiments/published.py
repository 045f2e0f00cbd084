"""The numbers that the paper printed, said once, as fractions."""

from __future__ import annotations

TABLE_3 = {
    "all-six": (0.743, 0.634),
    "no-conv11_2": (0.746, 0.631),
    "no-conv10_2": (0.738, 0.684),
    "conv4_3-to-conv8_2": (0.707, 0.692),
    "conv4_3-conv7": (0.642, 0.644),
    "conv7-only": (0.624, 0.640),
}
"""VOC2007 test mAP of SSD300 by its source layers: with boundary boxes, and without."""

TABLE_3_BOXES = {
    "all-six": 8732,
    "no-conv11_2": 8764,
    "no-conv10_2": 8942,
    "conv4_3-to-conv8_2": 9864,
    "conv4_3-conv7": 9025,
    "conv7-only": 8664,
}
"""Default boxes of each row."""
