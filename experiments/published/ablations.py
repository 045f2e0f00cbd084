"""Tables 2 and 3: ablations of SSD300, as mAP (fractions) on VOC2007 test, trained on 07+12."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.published.voc import TABLE_1

_SSD300 = TABLE_1["SSD300", "07+12"].mean


@dataclass(frozen=True, kw_only=True)
class Table2Column:
    """One variant of SSD300; True means that the part is kept."""

    more_augmentation: bool
    """Random crops and colour distortion; False leaves flips only."""

    boxes_of_2: bool
    """Default boxes of the ratios 1/2 and 2."""

    boxes_of_3: bool
    """Default boxes of the ratios 1/3 and 3."""

    atrous: bool
    mean: float


TABLE_2 = {
    "no-augmentation": Table2Column(more_augmentation=False, boxes_of_2=True, boxes_of_3=True, atrous=True, mean=0.655),
    "squares-only": Table2Column(more_augmentation=True, boxes_of_2=False, boxes_of_3=False, atrous=True, mean=0.716),
    "no-thirds": Table2Column(more_augmentation=True, boxes_of_2=True, boxes_of_3=False, atrous=True, mean=0.737),
    "no-atrous": Table2Column(more_augmentation=True, boxes_of_2=True, boxes_of_3=True, atrous=False, mean=0.742),
    "ssd300": Table2Column(more_augmentation=True, boxes_of_2=True, boxes_of_3=True, atrous=True, mean=_SSD300),
}

NO_ATROUS_SLOWDOWN = 0.2
"""Section 3.2: without the atrous VGG16 the network is about 20 % slower, as a fraction."""

TABLE_3 = {
    "all-six": (_SSD300, 0.634),
    "no-conv11_2": (0.746, 0.631),
    "no-conv10_2": (0.738, 0.684),
    "conv4_3-to-conv8_2": (0.707, 0.692),
    "conv4_3-conv7": (0.642, 0.644),
    "conv7-only": (0.624, 0.640),
}
"""mAP by row, with and without boundary boxes."""

TABLE_3_BOXES = {
    "all-six": 8732,
    "no-conv11_2": 8764,
    "no-conv10_2": 8942,
    "conv4_3-to-conv8_2": 9864,
    "conv4_3-conv7": 9025,
    "conv7-only": 8664,
}
"""Number of default boxes of each row."""
