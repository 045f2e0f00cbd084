"""Does it help to predict from several maps? Paper, Table 3: VOC2007 test, SSD300 trained on 07+12.

Found:  12 points are lost from six maps to one (74.3 to 62.4), most of them below three maps. Without boundary boxes
three maps are best (69.2), and further coarse maps cost accuracy.
Expect: accuracy falls as coarse maps are removed, most of all when only conv7 is left. Nearly all boxes of the coarsest
maps are boundary boxes: excluding those from training costs most where these maps predict.
Cost:   12 trainings at full length, 23.0 million images.
Run:    ssdpipe run ablation-layers --preset tiny
Differs: the paper does not print its tilings. Rows 2 to 4 distribute SSD300's six scales over the remaining layers, in
the only assignment that yields the printed box counts with 4 or 6 boxes per scale; row 5 is our interpretation; row 6
is the author's own (weiliu89/caffe, issue 293).
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
    """The recipe with a detector that predicts from the source layers of the tiling."""
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
    found="12 points are lost from six maps to one; without boundary boxes three maps are best",
    expects="accuracy falls as maps are removed; without boundary boxes it falls most where coarse maps predict",
    differs="the tilings are reconstructed from the printed box counts, except for the row of conv7 alone",
    row_title="source layers",
    column_title="boundary boxes",
    rows=tuple(_row(name, boundary=boundary) for boundary in (True, False) for name in TILINGS),
)
