"""Table 6 (with more augmentation for small objects), Table 7 (inference time), and numbers in the text.

Accuracies are fractions.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Table6Row:
    """One detector on three benchmarks; a star in its name says: expanded images, twice the iterations."""

    voc07: float
    """VOC2007 test, trained on 07+12."""

    voc07_after_coco: float
    """The same, fine-tuned from COCO."""

    voc12: float
    """VOC2012 test, trained on 07++12."""

    voc12_after_coco: float
    coco: float
    """COCO test-dev2015, trained on trainval35k: mean over the overlaps 0.5 to 0.95."""

    coco50: float
    coco75: float


TABLE_6 = {
    "SSD300": Table6Row(
        voc07=0.743,
        voc07_after_coco=0.796,
        voc12=0.724,
        voc12_after_coco=0.775,
        coco=0.232,
        coco50=0.412,
        coco75=0.234,
    ),
    "SSD512": Table6Row(
        voc07=0.768,
        voc07_after_coco=0.816,
        voc12=0.749,
        voc12_after_coco=0.800,
        coco=0.268,
        coco50=0.465,
        coco75=0.278,
    ),
    "SSD300*": Table6Row(
        voc07=0.772,
        voc07_after_coco=0.812,
        voc12=0.758,
        voc12_after_coco=0.793,
        coco=0.251,
        coco50=0.431,
        coco75=0.258,
    ),
    "SSD512*": Table6Row(
        voc07=0.798,
        voc07_after_coco=0.832,
        voc12=0.785,
        voc12_after_coco=0.822,
        coco=0.288,
        coco50=0.485,
        coco75=0.303,
    ),
}


@dataclass(frozen=True, kw_only=True)
class Table7Row:
    """Speed of one detector on one Titan X (Maxwell) with cuDNN v4, images read and decoded."""

    mean: float
    """Mean average precision on VOC2007 test."""

    images_per_second: float
    boxes: int
    """About, for Faster R-CNN."""

    input_size: tuple[int, int]
    """Width and height; about, for Faster R-CNN."""


TABLE_7 = {
    ("Faster R-CNN (VGG16)", 1): Table7Row(mean=0.732, images_per_second=7, boxes=6000, input_size=(1000, 600)),
    ("Fast YOLO", 1): Table7Row(mean=0.527, images_per_second=155, boxes=98, input_size=(448, 448)),
    ("YOLO (VGG16)", 1): Table7Row(mean=0.664, images_per_second=21, boxes=98, input_size=(448, 448)),
    ("SSD300", 1): Table7Row(mean=0.743, images_per_second=46, boxes=8732, input_size=(300, 300)),
    ("SSD512", 1): Table7Row(mean=0.768, images_per_second=19, boxes=24564, input_size=(512, 512)),
    ("SSD300", 8): Table7Row(mean=0.743, images_per_second=59, boxes=8732, input_size=(300, 300)),
    ("SSD512", 8): Table7Row(mean=0.768, images_per_second=22, boxes=24564, input_size=(512, 512)),
}
"""By detector and batch size."""

ABSTRACT_SSD512 = 0.769
"""The abstract says 76.9 of SSD512 on VOC2007 test; Tables 1, 6 and 7 say 76.8."""

FIGURE_2 = {
    "SSD300": Table7Row(mean=0.743, images_per_second=59, boxes=8732, input_size=(300, 300)),
    "YOLO": Table7Row(mean=0.634, images_per_second=45, boxes=98, input_size=(448, 448)),
}
"""Numbers in the drawing of the two networks."""

NMS_MILLISECONDS = 1.7
"""Section 3.7: confidence threshold and suppression, per image of SSD300 with the 20 classes of VOC."""

NEW_LAYERS_MILLISECONDS = 2.4
"""Section 3.7: all layers added to VGG16."""

VGG_SHARE_OF_TIME = 0.8
"""Section 3.7: about, of the forward pass."""
