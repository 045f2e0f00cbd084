"""Which of the paper's ablations show in a few minutes? The rows with the largest effects in Tables 2 and 3.

Found:  8.8 points are lost without random crops and colour distortion, 2.7 with square default boxes alone, 11.9 with
conv7 as the only map, 10.9 without boundary boxes.
Expect: each change loses accuracy; one seed shows the direction of the largest effects, not their size.
Cost:   5 trainings at full length, 9.6 million images.
Run:    ssdpipe run largest-effects --preset tiny
Differs: as `ablation-augmentation`, `ablation-box-shapes` and `ablation-layers`, whose rows these are.
"""

from __future__ import annotations

from dataclasses import replace

from experiments.framework.claims.claim import Claim, Difference
from experiments.framework.experiment import Experiment, Row
from experiments.framework.runs import RUNS
from experiments.published import TABLE_2, TABLE_3
from ssd_core.spec.augmentation import FLIP_ONLY
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.tilings import CONV7_ALONE, tiled, without_ratios


def flips_only(recipe: Recipe) -> Recipe:
    return replace(recipe, augmentation=FLIP_ONLY)


def squares(recipe: Recipe) -> Recipe:
    return replace(recipe, spec=without_ratios(recipe.spec, 2, 3))


def conv7_alone(recipe: Recipe) -> Recipe:
    return replace(recipe, spec=tiled(recipe.spec, CONV7_ALONE))


def inside(recipe: Recipe) -> Recipe:
    return replace(recipe, spec=replace(recipe.spec, use_boundary_boxes=False))


BASE = RUNS["ssd300-voc0712"]
ALL, FLIPS, SQUARES = "SSD300", "flips alone", "square boxes alone"
ONE_MAP, INSIDE = "conv7 alone", "without boundary boxes"

experiment = Experiment(
    name="largest-effects",
    question="Which of the paper's ablations show in a few minutes?",
    answers="parts of Tables 2 and 3",
    found="8.8 points for augmentation, 2.7 for oblong boxes, 11.9 for several maps, 10.9 for boundary boxes",
    expects="a loss with each change; one seed shows the direction of large effects, not their size",
    differs="as in the experiments that the rows are from",
    row_title="detector",
    rows=(
        Row(label=ALL, run=BASE, published=TABLE_2["ssd300"].mean),
        Row(label=FLIPS, run=BASE.varied("flips", flips_only), published=TABLE_2["no-augmentation"].mean),
        Row(label=SQUARES, run=BASE.varied("squares", squares), published=TABLE_2["squares-only"].mean),
        Row(label=ONE_MAP, run=BASE.varied("conv7-only", conv7_alone), published=TABLE_3["conv7-only"][0]),
        Row(label=INSIDE, run=BASE.varied("all-six-inside", inside), published=TABLE_3["all-six"][1]),
    ),
    claims=(
        Claim(
            "Random crops and colour distortion raise accuracy far beyond what flips alone reach.",
            Difference(ALL, FLIPS),
        ),
        Claim("Oblong default boxes help.", Difference(ALL, SQUARES)),
        Claim("Several maps of different resolution are better than one.", Difference(ALL, ONE_MAP)),
        Claim("Without boxes that cross the image's border, much is lost.", Difference(ALL, INSIDE)),
    ),
)
