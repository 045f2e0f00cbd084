"""How does SSD compare on VOC2007, and what do more training images bring? Paper, Table 1.

Found:  SSD300 beats Fast R-CNN and is level with Faster R-CNN; SSD512 beats both; each larger training set adds
accuracy.
Expect: the same order; the rows after COCO are the best, since COCO holds five times the objects of 07+12.
Cost:   8 trainings at full length, 26.9 million images.
Run:    ssdpipe run voc2007 --preset tiny
Differs: the paper does not say how long the rows after COCO were fine-tuned; ours as long as those from ImageNet.

Tested in tests/experiments/framework/test_loading.py.
"""

from __future__ import annotations

from experiments.framework.experiment import Experiment, Row
from experiments.framework.runs import RUNS
from experiments.published import TABLE_1

RUN_NAMES = {"07": "voc07", "07+12": "voc0712", "07+12+COCO": "voc0712-after-coco"}


def _row(detector: str, data: str) -> Row:
    printed = TABLE_1[detector, data]
    return Row(
        label=f"{detector} {data}",
        run=RUNS[f"{detector.lower()}-{RUN_NAMES[data]}"] if detector.startswith("SSD") else None,
        published=printed.mean,
        published_classes=tuple(printed.per_class().items()),
    )


experiment = Experiment(
    name="voc2007",
    question="How does SSD compare on VOC2007, and what do more training images bring?",
    answers="Table 1",
    found="SSD512 beats Faster R-CNN by 1.7 points and more on equal data; COCO adds 5 points",
    expects="the same order of detectors, and more with each larger training set",
    differs="the length of the fine-tunings after COCO is not printed; ours are as long as the others",
    row_title="method and data",
    rows=tuple(_row(detector, data) for detector, data in TABLE_1),
)
