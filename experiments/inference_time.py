"""How fast is SSD? Paper, section 3.7 and Table 7.

Found:  SSD300 runs at 46 images/s with batch size 1 and at 59 with batch size 8, on a Titan X (Maxwell) with cuDNN v4,
including reading and decoding; VGG16 takes about 80 % of the time.
Expect: other numbers on other machines; SSD512 needs 2.9 times the multiply-adds of SSD300.
Cost:   2 trainings at full length, 3.8 million images.
Run:    ssdpipe run inference-time --preset tiny
Differs: the machine. As in the paper, times include reading, decoding, resizing, detection and suppression. The file
speed.json holds the other protocols (images on the device; the network alone) and precisions.

Tested in tests/experiments/framework/test_loading.py.
"""

from __future__ import annotations

from experiments.framework.experiment import Experiment, Row
from experiments.framework.runs import RUNS, Run
from experiments.framework.setups import Setup
from experiments.published import TABLE_7
from pipeline.stage import Stage
from stages.speed.graphs import timed
from stages.speed.network import Network

METRIC = "speed/end_to_end/batch{}/images_per_second"


def _run_of(method: str) -> Run | None:
    return RUNS[f"{method.lower()}-voc0712"] if method.startswith("SSD") else None


def _timed(setup: Setup) -> Stage:
    network = Network(label=setup.run.detector, weights=setup.training(table=experiment.answers))
    return timed(network, test=setup.test_shards(), variant=setup.variant, placement=setup.placement)


def _rows(method: str, batch: int) -> tuple[Row, Row]:
    run, printed = _run_of(method), TABLE_7[method, batch]
    label = f"{method}, batch {batch}"
    speed = Row(
        label=label,
        run=run,
        column="images/s",
        result=_timed,
        metric=METRIC.format(batch),
        unit="plain",
        published=printed.images_per_second,
    )
    return Row(label=label, run=run, column="mAP", published=printed.mean), speed


experiment = Experiment(
    name="inference-time",
    question="How fast is SSD?",
    answers="Table 7",
    found="59 images/s for SSD300 and 22 for SSD512, with batch size 8 on a Titan X",
    expects="other numbers on other machines, in similar proportions",
    differs="the machine",
    row_title="method",
    column_title="metric",
    rows=tuple(row for method, batch in TABLE_7 for row in _rows(method, batch)),
)
