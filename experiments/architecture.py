"""What does the network look like? Paper, Figures 1 and 2, drawn from the network itself.

Found:  Figure 1: default boxes of several shapes on maps of several sizes. Figure 2: layers of SSD300, 8732 detections
per class.
Expect: the same layers and numbers; a drawing generated from the network cannot disagree with it.
Cost:   no training.
Run:    ssdpipe run architecture
Differs: Figure 2 also draws YOLO.

Tested in tests/experiments/framework/test_loading.py.
"""

from __future__ import annotations

from experiments.framework.experiment import Experiment, Row
from experiments.framework.presets import Preset
from experiments.framework.runs import RUNS, Run
from experiments.published import TABLE_7
from pipeline.stage import Stage
from stages.analysis.draw_architecture import DrawArchitecture
from stages.analysis.draw_default_boxes import DrawDefaultBoxes

DRAWN = ("ssd300-voc0712", "ssd512-voc0712", "ssd300-full-vgg-voc0712")


def figures(preset: Preset) -> tuple[Stage, ...]:
    return DrawDefaultBoxes(), *(_network(RUNS[name], preset) for name in DRAWN)


def _network(run: Run, preset: Preset) -> DrawArchitecture:
    spec = preset.setup(run).recipe.spec
    return DrawArchitecture(spec=spec, title=run.detector.upper(), variant=run.detector)


experiment = Experiment(
    name="architecture",
    question="What does the network look like?",
    answers="Figures 1, 2",
    found="8732 detections per class, 74.3 mAP at 59 images/s",
    expects="the same layers and numbers",
    differs="without YOLO",
    row_title="detector",
    rows=tuple(Row(label=label, published=TABLE_7[label, 8].mean) for label in ("SSD300", "SSD512")),
    figures=figures,
)
