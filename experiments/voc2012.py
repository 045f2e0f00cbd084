"""How does SSD perform on VOC2012? Paper, Table 4: trained on 07++12.

Found:  the same order as on VOC2007: SSD300 above Fast and Faster R-CNN on 07++12, SSD512 above SSD300, and COCO adds
5 points.
Expect: the same order.
Cost:   10 trainings at full length, 33.3 million images.
Run:    ssdpipe run voc2012 --preset tiny
Differs: the annotations of VOC2012 test are not public. Trainings on 07++12 end in archives for the server; as a
proxy that can be scored locally, separate trainings on VOC2007 and VOC2012 train are scored on VOC2012 val. The proxies
are not rows of the paper.

Tested in tests/experiments/framework/test_loading.py.
"""

from __future__ import annotations

from experiments.framework.experiment import Experiment, Row
from experiments.framework.runs import RUNS
from experiments.framework.submitting import submissions
from experiments.published import TABLE_4

RUN_NAMES = {"07++12": "voc07++12", "07++12+COCO": "voc07++12-after-coco"}
PROXIES = ("voc0712train", "voc0712train-after-coco")


def _row(method: str, data: str) -> Row:
    printed = TABLE_4[method, data]
    return Row(
        label=f"{method} {data}",
        run=RUNS[f"{method.lower()}-{RUN_NAMES[data]}"] if method.startswith("SSD") else None,
        metric="voc12/mAP",
        published=printed.mean,
        published_classes=tuple(printed.per_class().items()),
    )


def _proxy(detector: str, images: str) -> Row:
    run = RUNS[f"{detector}-{images}"]
    label = f"{run.title} (proxy: VOC2012 val)"
    return Row(label=label, run=run, metric="voc12/mAP", published=None)


ROWS = (
    *(_row(method, data) for method, data in TABLE_4),
    *(_proxy(detector, images) for detector in ("ssd300", "ssd512") for images in PROXIES),
)

experiment = Experiment(
    name="voc2012",
    question="How does SSD perform on VOC2012?",
    answers="Table 4",
    found="the same order as on VOC2007; SSD512 reaches 80.0 after COCO",
    expects="the same order",
    differs="the test set is scored by its server; the proxies are other trainings on other images",
    row_title="method and data",
    rows=ROWS,
    figures=lambda preset: submissions(ROWS, preset),
)
