"""Section 3.2 and Tables 2 and 3: which parts of SSD300 earn its accuracy."""

from __future__ import annotations

from experiments.framework.claims.claim import At, Claim, Difference, Order, Ratio, Recorded, Trend
from experiments.published import NO_ATROUS_SLOWDOWN

MAPS = (
    "conv4_3 conv7 conv8_2 conv9_2 conv10_2 conv11_2",
    "conv4_3 conv7 conv8_2 conv9_2 conv10_2",
    "conv4_3 conv7 conv8_2 conv9_2",
    "conv4_3 conv7 conv8_2",
    "conv4_3 conv7",
    "conv7",
)
"""Rows of Table 3, from six maps to one."""

ALL_SHAPES, NO_THIRDS, SQUARES = "1, {1/2, 2}, {1/3, 3}", "1, {1/2, 2}", "1"


def _of(network: str, *, published: float) -> Recorded:
    """Time of a network for one image, relative to the atrous one's."""
    metric = f"speed/{network}/detection/batch8/images_per_second"
    return Recorded("compare-speed/atrous", metric, error=0.03, published=published)


ABLATIONS = {
    "ablation-augmentation": (
        Claim(
            "Random crops and colour distortion raise accuracy far beyond what flips alone reach.",
            Difference("crops, colours and flips", "flips"),
            section="3.2",
        ),
    ),
    "ablation-box-shapes": (
        Claim(
            "The more shapes of default boxes, the better.",
            Order((ALL_SHAPES, NO_THIRDS, SQUARES)),
            section="3.2",
        ),
        Claim(
            "Boxes of the aspect ratios 1/3 and 3 help.",
            Difference(ALL_SHAPES, NO_THIRDS),
            section="3.2",
        ),
        Claim(
            "Boxes of the aspect ratios 1/2 and 2 help more than those of 1/3 and 3 alone.",
            Difference(NO_THIRDS, SQUARES),
            section="3.2",
        ),
    ),
    "ablation-atrous": (
        Claim(
            "The subsampled, atrous VGG16 is as accurate as the full one, within a point.",
            Difference("atrous, reduced", "full VGG16"),
            within=0.01,
            section="3.2",
        ),
        Claim(
            "The atrous VGG16 is faster than the full one.",
            Ratio(_of("atrous", published=1.0), _of("full VGG16", published=1 - NO_ATROUS_SLOWDOWN)),
            section="3.2",
        ),
    ),
    "ablation-layers": (
        Claim(
            "Several maps of different resolution are better than one, for about the same number of boxes.",
            Difference(At(MAPS[0], "yes"), At(MAPS[-1], "yes")),
            section="3.2",
        ),
        Claim(
            "Accuracy falls as the coarse maps are removed one after another.",
            Trend(tuple(At(row, "yes") for row in MAPS)),
            section="3.2",
        ),
        Claim(
            "Without the third finest map, conv8_2, much is lost.",
            Difference(At(MAPS[3], "yes"), At(MAPS[4], "yes")),
            section="3.2",
        ),
        Claim(
            "Boxes that cross the image's border must be trained on: without them, all six maps lose much.",
            Difference(At(MAPS[0], "yes"), At(MAPS[0], "no")),
            section="3.2",
        ),
        Claim(
            "Without boundary boxes, the coarsest maps cost accuracy: three maps are better than six.",
            Difference(At(MAPS[3], "no"), At(MAPS[0], "no")),
            section="3.2",
        ),
    ),
}
