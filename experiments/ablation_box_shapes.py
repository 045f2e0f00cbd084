"""Do default boxes of several shapes help? Paper, Table 2, columns 2, 3 and 5.

Found:  removing the aspect ratios 1/3 and 3 costs 0.6 points, removing 1/2 and 2 as well another 2.1.
Expect: a loss with each removal, larger where objects are far from square.
Cost:   3 trainings at full length, 5.8 million images.
Run:    ssdpipe run ablation-box-shapes --preset tiny
Differs: all rows keep the large square box (7760 and 3880 boxes); the paper does not specify this.
"""

from __future__ import annotations

from dataclasses import replace

from experiments.framework.experiment import Experiment, Row
from experiments.framework.runs import RUNS
from experiments.published import TABLE_2
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.tilings import without_ratios


def without(recipe: Recipe, *ratios: float) -> Recipe:
    """The recipe without the default boxes of some aspect ratios and their reciprocals."""
    return replace(recipe, spec=without_ratios(recipe.spec, *ratios))


BASE = RUNS["ssd300-voc0712"]

experiment = Experiment(
    name="ablation-box-shapes",
    question="Do default boxes of several shapes help?",
    answers="Table 2",
    found="0.6 points for {1/3, 3}, 2.1 more for {1/2, 2}",
    expects="a loss with each removal",
    differs="all rows keep the large square box, which the paper does not specify",
    row_title="shapes",
    rows=(
        Row(label="1, {1/2, 2}, {1/3, 3}", run=BASE, published=TABLE_2["ssd300"].mean),
        Row(
            label="1, {1/2, 2}",
            run=BASE.varied("no-thirds", lambda recipe: without(recipe, 3)),
            published=TABLE_2["no-thirds"].mean,
        ),
        Row(
            label="1",
            run=BASE.varied("squares", lambda recipe: without(recipe, 2, 3)),
            published=TABLE_2["squares-only"].mean,
        ),
    ),
)
