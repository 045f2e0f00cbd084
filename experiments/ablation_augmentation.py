"""How much of the accuracy is data augmentation? Paper, Table 2, first and last column.

Found:  8.8 points: without random crops and colours, with flips only, SSD300 falls from 74.3 to 65.5.
Expect: the same at the paper's length. A short training can lose by it: each image is seen too few times to be learnt
by heart, and crops make it harder.
Cost:   2 trainings at full length, 3.8 million images.
Run:    ssdpipe run ablation-augmentation --preset tiny
Differs: the paper does not say whether colours were distorted in the row without; here they were not.
"""

from __future__ import annotations

from dataclasses import replace

from experiments.framework.experiment import Experiment, Row
from experiments.framework.runs import RUNS
from experiments.published import TABLE_2
from ssd_core.spec.augmentation import FLIP_ONLY, PAPER
from ssd_core.spec.recipe import Recipe


def with_more(recipe: Recipe) -> Recipe:
    return replace(recipe, augmentation=PAPER)


def flips_only(recipe: Recipe) -> Recipe:
    return replace(recipe, augmentation=FLIP_ONLY)


BASE = RUNS["ssd300-voc0712"]

experiment = Experiment(
    name="ablation-augmentation",
    question="How much of the accuracy is data augmentation?",
    answers="Table 2",
    found="8.8 points",
    expects="most of the paper's difference at its length; less, or the opposite, in a short training",
    differs="without it no colours are distorted either, which the paper leaves open",
    row_title="augmentation",
    rows=(
        Row(label="crops, colours and flips", run=BASE.varied("more", with_more), published=TABLE_2["ssd300"].mean),
        Row(label="flips", run=BASE.varied("flips", flips_only), published=TABLE_2["no-augmentation"].mean),
    ),
)
