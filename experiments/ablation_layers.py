"""Does it help to predict from several maps? Paper, Table 3: VOC2007 test, SSD300 trained on 07+12.

Found:  12 points from six maps to one (74.3 to 62.4), most of them below three. Without boundary boxes three maps are
the best (69.2), and those above cost accuracy.
Expect: accuracy falls as the coarse maps go, most of all when only conv7 is left. Boxes that cross the image border
are nearly all that the coarsest maps have: leaving them out of training costs most where those maps predict.
Cost:   12 trainings at full length, 23.0 million images.
Run:    ssdpipe run ablation-layers --preset tiny
Differs: the paper does not print its tilings. Rows 2 to 4 deal the six scales of SSD300 to the layers that stay, the
only way that gives the printed numbers of boxes with 4 or 6 boxes to a scale; row 5 is our reading; row 6 is the
author's own (weiliu89/caffe, issue 293).
"""

from __future__ import annotations

from dataclasses import replace

from experiments.framework.experiment import Experiment, Row
from experiments.framework.runs import RUNS
from experiments.published import TABLE_3
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.tilings import Sized, Stacked, Tiling, tiled

CONV7_SIZES = ((40 / 300, 100 / 300), (100 / 300, 180 / 300), (180 / 300, 240 / 300), (260 / 300, 340 / 300))

TILINGS: dict[str, Tiling] = {
    "all-six": (
        Stacked(layer="conv4_3"),
        Stacked(layer="conv7"),
        Stacked(layer="conv8_2"),
        Stacked(layer="conv9_2"),
        Stacked(layer="conv10_2"),
        Stacked(layer="conv11_2"),
    ),
    "no-conv11_2": (
        Stacked(layer="conv4_3"),
        Stacked(layer="conv7"),
        Stacked(layer="conv8_2"),
        Stacked(layer="conv9_2"),
        Stacked(layer="conv10_2", scales=2),
    ),
    "no-conv10_2": (
        Stacked(layer="conv4_3"),
        Stacked(layer="conv7"),
        Stacked(layer="conv8_2", scales=2),
        Stacked(layer="conv9_2", scales=2),
    ),
    "conv4_3-to-conv8_2": (
        Stacked(layer="conv4_3"),
        Stacked(layer="conv7", scales=2),
        Stacked(layer="conv8_2", scales=3),
    ),
    "conv4_3-conv7": (Stacked(layer="conv4_3"), Stacked(layer="conv7", scales=3, large_square=False)),
    "conv7-only": (Sized(layer="conv7", sizes=CONV7_SIZES, ratios=(2, 3)),),
}


def predicting_from(recipe: Recipe, tiling: Tiling, *, boundary: bool) -> Recipe:
    """The training of a detector with these source layers instead."""
    return replace(recipe, spec=replace(tiled(recipe.spec, tiling), use_boundary_boxes=boundary))


BASE = RUNS["ssd300-voc0712"]


def _row(name: str, *, boundary: bool) -> Row:
    def change(recipe: Recipe) -> Recipe:
        return predicting_from(recipe, TILINGS[name], boundary=boundary)

    return Row(
        label=" ".join(part.layer for part in TILINGS[name]),
        run=BASE.varied(name if boundary else f"{name}-inside", change),
        column="yes" if boundary else "no",
        published=TABLE_3[name][0 if boundary else 1],
    )


experiment = Experiment(
    name="ablation-layers",
    question="Does it help to predict from several maps?",
    answers="Table 3",
    found="12 points from six maps to one; without boundary boxes three maps are the best",
    expects="accuracy falls as maps go; without boundary boxes it falls most where the coarse maps predict",
    differs="the tilings are reconstructed from the printed numbers of boxes, but for the row of conv7 alone",
    row_title="source layers",
    column_title="boundary boxes",
    rows=tuple(_row(name, boundary=boundary) for boundary in (True, False) for name in TILINGS),
)
