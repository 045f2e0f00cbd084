"""Table 6 (augmentation for small objects), Table 7 (inference time), and numbers in the text.

Accuracies are fractions.
"""

from __future__ import annotations

from dataclasses import dataclass

from experiments.published.ablations import TABLE_3_BOXES
from experiments.published.coco import TABLE_5
from experiments.published.voc import TABLE_1, TABLE_4


@dataclass(frozen=True, kw_only=True)
class Table6Row:
    """One detector on three benchmarks; a star in its name means zoom-out augmentation and twice the iterations."""

    voc07: float
    """VOC2007 test, trained on 07+12."""

    voc07_after_coco: float
    """VOC2007 test, trained on COCO and fine-tuned on 07+12."""

    voc12: float
    """VOC2012 test, trained on 07++12."""

    voc12_after_coco: float
    coco: float
    """COCO test-dev2015, trained on trainval35k: mean over the IoU thresholds 0.5 to 0.95."""

    coco50: float
    coco75: float


def _repeated(detector: str) -> Table6Row:
    """A row without a star, which repeats Tables 1, 4 and 5."""
    coco = TABLE_5[detector, "trainval35k"]
    assert coco.ap75 is not None, "printed for SSD"
    return Table6Row(
        voc07=TABLE_1[detector, "07+12"].mean,
        voc07_after_coco=TABLE_1[detector, "07+12+COCO"].mean,
        voc12=TABLE_4[detector, "07++12"].mean,
        voc12_after_coco=TABLE_4[detector, "07++12+COCO"].mean,
        coco=coco.ap,
        coco50=coco.ap50,
        coco75=coco.ap75,
    )


TABLE_6 = {
    "SSD300": _repeated("SSD300"),
    "SSD512": _repeated("SSD512"),
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
    """Speed of one detector on a Titan X (Maxwell) with cuDNN v4, including reading and decoding."""

    mean: float
    """Mean average precision on VOC2007 test."""

    images_per_second: float
    boxes: int
    """Number of boxes; approximate for Faster R-CNN."""

    input_size: tuple[int, int]
    """Width and height in pixels; approximate for Faster R-CNN."""


def _timed(detector: str, images_per_second: float, boxes: int, input_size: tuple[int, int]) -> Table7Row:
    """A row whose accuracy is in Table 1."""
    mean = TABLE_1[detector, "07+12"].mean
    return Table7Row(mean=mean, images_per_second=images_per_second, boxes=boxes, input_size=input_size)


_BOXES_300, _BOXES_512 = TABLE_3_BOXES["all-six"], 24564

TABLE_7 = {
    ("Faster R-CNN (VGG16)", 1): _timed("Faster", 7, 6000, (1000, 600)),
    ("Fast YOLO", 1): Table7Row(mean=0.527, images_per_second=155, boxes=98, input_size=(448, 448)),
    ("YOLO (VGG16)", 1): Table7Row(mean=0.664, images_per_second=21, boxes=98, input_size=(448, 448)),
    ("SSD300", 1): _timed("SSD300", 46, _BOXES_300, (300, 300)),
    ("SSD512", 1): _timed("SSD512", 19, _BOXES_512, (512, 512)),
    ("SSD300", 8): _timed("SSD300", 59, _BOXES_300, (300, 300)),
    ("SSD512", 8): _timed("SSD512", 22, _BOXES_512, (512, 512)),
}
"""By detector and batch size."""

ABSTRACT_SSD512 = 0.769
"""The abstract gives 76.9 for SSD512 on VOC2007 test; Tables 1, 6 and 7 give 76.8."""

FIGURE_2 = {
    "SSD300": TABLE_7["SSD300", 8],
    "YOLO": Table7Row(mean=0.634, images_per_second=45, boxes=98, input_size=(448, 448)),
}
"""Numbers printed in the drawing of the two networks."""

NMS_MILLISECONDS = 1.7
"""Section 3.7: confidence threshold and suppression, per image of SSD300 with the 20 classes of VOC."""

NEW_LAYERS_MILLISECONDS = 2.4
"""Section 3.7: time of all layers added to VGG16, per image."""

VGG_SHARE_OF_TIME = 0.8
"""Section 3.7: approximate fraction of the forward pass spent in VGG16."""
