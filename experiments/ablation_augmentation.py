"""How much of the accuracy is due to data augmentation? Paper, Table 2, first and last column.

Found:  8.8 points: with flips only, without random crops and colour distortion, SSD300 falls from 74.3 to 65.5.
Expect: the same with the paper's schedule. In a short training augmentation may hurt: no image is seen often enough to
overfit, and crops make the task harder.
Cost:   2 trainings at full length, 3.8 million images.
Run:    ssdpipe run ablation-augmentation --preset tiny
Differs: the paper does not say whether its row without augmentation distorts colours; ours does not.
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
    question="How much of the accuracy is due to data augmentation?",
    answers="Table 2",
    found="8.8 points",
    expects="most of the paper's difference with its schedule; less, or the opposite, in a short training",
    differs="the row without augmentation does not distort colours either, which the paper leaves open",
    row_title="augmentation",
    rows=(
        Row(label="crops, colours and flips", run=BASE.varied("more", with_more), published=TABLE_2["ssd300"].mean),
        Row(label="flips", run=BASE.varied("flips", flips_only), published=TABLE_2["no-augmentation"].mean),
    ),
)
