"""What do detections on COCO look like? Paper, Figure 5: SSD512 on test-dev with scores above 0.6.

Found:  a page of images.
Expect: a similar page, which also shows what the paper does not: false positives and missed objects.
Cost:   1 training at full length, 7.7 million images.
Run:    ssdpipe run coco-detections --preset tiny
Drawn:  by the stage that draws pictures of every training, `stages.analysis.draw_detections`.
Differs: the images are from minival, whose annotations are public, so that detections can be judged.
"""

from __future__ import annotations

from experiments.framework.experiment import Experiment, Row
from experiments.framework.presets import Preset
from experiments.framework.runs import RUNS
from experiments.published import TABLE_5
from pipeline.stage import Stage
from stages.analysis.draw_coco_sizes import DrawCocoSizes

RUN = RUNS["ssd512-coco"]


def figures(preset: Preset) -> tuple[Stage, ...]:
    evaluation = preset.setup(RUN).evaluation(table=experiment.answers)
    return (DrawCocoSizes(evaluations=(evaluation,), titles=("SSD512",), variant=RUN.name),)


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
