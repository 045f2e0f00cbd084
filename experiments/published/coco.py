"""Table 5 (COCO test-dev2015, scored by the server) and section 3.5 (ILSVRC), as fractions; None where not printed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class CocoRow:
    """The twelve COCO metrics of one detector."""

    ap: float
    """Mean over the IoU thresholds 0.5, 0.55 ... 0.95."""

    ap50: float
    ap75: float | None = None
    ap_by_size: tuple[float, float, float] | None = None
    """Small, medium, large."""

    ar_by_number: tuple[float, float, float] | None = None
    """Recall with 1, 10 and 100 detections per image."""

    ar_by_size: tuple[float, float, float] | None = None


TABLE_5 = {
    ("Fast [6]", "train"): CocoRow(ap=0.197, ap50=0.359),
    ("Fast [24]", "train"): CocoRow(
        ap=0.205,
        ap50=0.399,
        ap75=0.194,
        ap_by_size=(0.041, 0.200, 0.358),
        ar_by_number=(0.213, 0.295, 0.301),
        ar_by_size=(0.073, 0.321, 0.520),
    ),
    ("Faster [2]", "trainval"): CocoRow(ap=0.219, ap50=0.427),
    ("ION [24]", "train"): CocoRow(
        ap=0.236,
        ap50=0.432,
        ap75=0.236,
        ap_by_size=(0.064, 0.241, 0.383),
        ar_by_number=(0.232, 0.327, 0.335),
        ar_by_size=(0.101, 0.377, 0.536),
    ),
    ("Faster [25]", "trainval"): CocoRow(
        ap=0.242,
        ap50=0.453,
        ap75=0.235,
        ap_by_size=(0.077, 0.264, 0.371),
        ar_by_number=(0.238, 0.340, 0.346),
        ar_by_size=(0.120, 0.385, 0.544),
    ),
    ("SSD300", "trainval35k"): CocoRow(
        ap=0.232,
        ap50=0.412,
        ap75=0.234,
        ap_by_size=(0.053, 0.232, 0.396),
        ar_by_number=(0.225, 0.332, 0.353),
        ar_by_size=(0.096, 0.376, 0.565),
    ),
    ("SSD512", "trainval35k"): CocoRow(
        ap=0.268,
        ap50=0.465,
        ap75=0.278,
        ap_by_size=(0.090, 0.289, 0.419),
        ar_by_number=(0.248, 0.375, 0.398),
        ar_by_size=(0.140, 0.435, 0.590),
    ),
}
"""By detector and training data; numbers in brackets are the paper's citations."""

ILSVRC_VAL2 = 0.434
"""Section 3.5: SSD300 trained on ILSVRC DET train and val1, mean average precision on val2."""
