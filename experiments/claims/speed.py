"""Section 3.7 and Table 7: speed, on whatever machine it is measured.

Tested in tests/experiments/framework/claims/test_judging.py.
"""

from __future__ import annotations

from experiments.framework.claims.claim import At, AtLeast, Claim, Ratio, Recorded
from experiments.published import NMS_MILLISECONDS, TABLE_7
from pipeline.folder import Folder
from pipeline.store.record import read_summary

SUPPRESSION = "speed/suppression/batch8/ms_per_image"
WHOLE = "speed/end_to_end/batch8/images_per_second"


def _speed(detector: str, batch: int) -> At:
    return At(f"{detector}, batch {batch}", "images/s")


def _images_per_suppression(measured: Folder) -> float:
    """Time of an image, as a multiple of the time of its suppression."""
    numbers = read_summary(measured)
    return 1000 / numbers[WHOLE] / numbers[SUPPRESSION]


SPEED = {
    "inference-time": (
        Claim(
            "SSD300 runs in real time, at 59 images/s or more with batch size 8.",
            AtLeast(_speed("SSD300", 8), TABLE_7["SSD300", 8].images_per_second, ratio=True),
            section="3.7",
        ),
        Claim(
            "SSD300 runs at 46 images/s or more with batch size 1.",
            AtLeast(_speed("SSD300", 1), TABLE_7["SSD300", 1].images_per_second, ratio=True),
            section="3.7",
        ),
        Claim(
            "SSD300 is faster than SSD512, by their numbers of multiply-adds.",
            Ratio(_speed("SSD300", 8), _speed("SSD512", 8)),
            section="3.7",
        ),
        Claim(
            "Batches are faster than single images.",
            Ratio(_speed("SSD300", 8), _speed("SSD300", 1)),
            section="3.7",
        ),
        Claim(
            "Filtering and suppression are less than a fifth of the time of an image.",
            AtLeast(
                Recorded(
                    "speed/ssd300-voc0712",
                    f"{WHOLE} and {SUPPRESSION}",
                    error=0.05,
                    published=1000 / TABLE_7["SSD300", 8].images_per_second / NMS_MILLISECONDS,
                    read=_images_per_suppression,
                ),
                5.0,
                ratio=True,
            ),
            section="3.7",
        ),
    ),
}
