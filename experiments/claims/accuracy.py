"""Sections 3.1 and 3.3 to 3.6: SSD against other detectors, more data, larger inputs, and zoomed-out images."""

from __future__ import annotations

from experiments.framework.claims.claim import At, AtLeast, Claim, Difference, GainsMore, Order
from experiments.published import ILSVRC_VAL2, TABLE_1, TABLE_4, TABLE_5


def _coco(detector: str, metric: str) -> At:
    return At(f"{detector} trainval35k", metric)


def _larger(metric: str) -> Difference:
    """The gain of SSD512 over SSD300 on COCO."""
    return Difference(_coco("SSD512", metric), _coco("SSD300", metric))


ACCURACY = {
    "voc2007": (
        Claim(
            "SSD300 is more accurate than Fast R-CNN on the same images.",
            AtLeast("SSD300 07", TABLE_1["Fast", "07"].mean),
            section="3.1",
        ),
        Claim(
            "SSD512 is more accurate than Faster R-CNN on the same images.",
            AtLeast("SSD512 07+12", TABLE_1["Faster", "07+12"].mean),
            section="3.1",
        ),
        Claim(
            "A larger input, SSD512 over SSD300, raises accuracy on VOC2007.",
            Difference("SSD512 07+12", "SSD300 07+12"),
            section="3.1",
        ),
        Claim(
            "Training on VOC2012 as well as VOC2007 raises accuracy.",
            Difference("SSD300 07+12", "SSD300 07"),
            section="3.1",
        ),
        Claim(
            "Pre-training on COCO raises the accuracy of SSD300.",
            Difference("SSD300 07+12+COCO", "SSD300 07+12"),
            section="3.1",
        ),
        Claim(
            "Pre-training on COCO raises the accuracy of SSD512.",
            Difference("SSD512 07+12+COCO", "SSD512 07+12"),
            section="3.1",
        ),
    ),
    "voc2012": (
        Claim(
            "SSD512 is more accurate than Faster R-CNN on VOC2012.",
            AtLeast("SSD512 07++12", TABLE_4["Faster", "07++12"].mean),
            section="3.3",
        ),
        Claim(
            "The order of SSD512 and SSD300 is the same on VOC2012.",
            Difference("SSD512 07++12", "SSD300 07++12"),
            section="3.3",
        ),
    ),
    "coco": (
        Claim(
            "SSD300 is more accurate than Fast R-CNN on COCO.",
            AtLeast(_coco("SSD300", "AP"), TABLE_5["Fast [24]", "train"].ap),
            section="3.4",
        ),
        Claim("A larger input raises accuracy on COCO.", _larger("AP"), section="3.4"),
        Claim("A larger input helps with small objects.", _larger("APs"), section="3.4"),
        Claim(
            "A larger input helps more with small objects than with large ones.",
            GainsMore(_larger("APs"), _larger("APl")),
            section="3.4",
        ),
        Claim(
            "Large objects are detected best, small ones worst.",
            Order(tuple(_coco("SSD300", metric) for metric in ("APl", "APm", "APs"))),
            section="3.4",
        ),
    ),
    "ilsvrc": (
        Claim(
            "The same network reaches 43.4 on ImageNet's 200 classes, within two points.",
            AtLeast("SSD300 train+val1", ILSVRC_VAL2),
            within=0.02,
            section="3.5",
        ),
    ),
    "small-object-augmentation": (
        Claim(
            "Zoomed-out images and a longer training raise the accuracy of SSD300 on VOC2007.",
            Difference(At("SSD300*", "VOC07 07+12"), At("SSD300", "VOC07 07+12")),
            section="3.6",
        ),
        Claim(
            "They raise that of SSD512 as well.",
            Difference(At("SSD512*", "VOC07 07+12"), At("SSD512", "VOC07 07+12")),
            section="3.6",
        ),
        Claim(
            "They help on COCO, too.",
            Difference(At("SSD300*", "COCO 0.5:0.95"), At("SSD300", "COCO 0.5:0.95")),
            section="3.6",
        ),
    ),
}
