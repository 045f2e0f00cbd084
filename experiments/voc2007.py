"""How does SSD compare on VOC2007, and how much do more training images help? Paper, Table 1.

Found:  SSD300 beats Fast R-CNN and is on a par with Faster R-CNN; SSD512 beats both; each larger training set improves
accuracy.
Expect: the same order; the rows with COCO are best, since COCO has many more objects than 07+12.
Cost:   8 trainings at full length, 26.9 million images.
Run:    ssdpipe run voc2007 --preset tiny
Differs: the paper does not print the schedule of fine-tuning after COCO; ours is that of trainings from ImageNet.

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
    question="How does SSD compare on VOC2007, and how much do more training images help?",
    answers="Table 1",
    found="SSD512 beats Faster R-CNN by at least 1.7 points on equal data; COCO adds about 5 points",
    expects="the same order of detectors, and a gain from each larger training set",
    differs="the paper does not print the schedule of fine-tuning after COCO; ours is that of the other trainings",
    row_title="method and data",
    rows=tuple(_row(detector, data) for detector, data in TABLE_1),
)
