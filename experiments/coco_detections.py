"""What do detections on COCO look like? Paper, Figure 5: SSD512 on test-dev, scores above 0.6.

Found:  a page of images.
Expect: the same kind of page; and, what the paper does not show, what is wrong and what is missed.
Cost:   1 training at full length, 7.7 million images.
Run:    ssdpipe run coco-detections --preset tiny
Differs: images of minival, whose objects are public, so that right and wrong can be told apart.
"""

from __future__ import annotations

from experiments.framework.experiment import Experiment, Row
from experiments.framework.presets import Preset
from experiments.framework.runs import RUNS
from experiments.published import FIGURE_5_SCORE, TABLE_5
from pipeline.stage import Stage
from stages.analysis.draw_coco_sizes import DrawCocoSizes
from stages.analysis.draw_detections import DrawDetections
from stages.analysis.known_groups import grouping_of

RUN = RUNS["ssd512-coco"]


def figures(preset: Preset) -> tuple[Stage, ...]:
    evaluation = preset.setup(RUN).evaluation(table=experiment.answers)
    pictures = DrawDetections(
        detections=evaluation.detections,
        shards=evaluation.shards,
        training=evaluation.training,
        min_score=FIGURE_5_SCORE,
        similar=grouping_of(preset.setup(RUN).recipe.spec.classes).similar,
        variant=RUN.name,
    )
    return pictures, DrawCocoSizes(evaluations=(evaluation,), titles=("SSD512",), variant=RUN.name)


experiment = Experiment(
    name="coco-detections",
    question="What do detections on COCO look like?",
    answers="Figure 5",
    found="a page of images",
    expects="the same kind of page",
    differs="minival instead of test-dev",
    row_title="detector",
    rows=(Row(label="SSD512", run=RUN, published=TABLE_5["SSD512", "trainval35k"].ap),),
    figures=figures,
)
