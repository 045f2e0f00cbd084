"""What do detections on COCO look like? Paper, Figure 5: SSD512 on test-dev with scores above 0.6.

Found:  a page of images.
Expect: a similar page, which also shows what the paper does not: false positives and missed objects.
Cost:   1 training at full length, 7.7 million images.
Run:    ssdpipe run coco-detections --preset tiny
Differs: the images are from minival, whose annotations are public, so that detections can be judged.
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
    expects="a similar page",
    differs="minival instead of test-dev",
    row_title="detector",
    rows=(Row(label="SSD512", run=RUN, published=TABLE_5["SSD512", "trainval35k"].ap),),
    figures=figures,
)
