"""What does the atrous VGG16 gain? Paper, Table 2, column 4, and section 3.2, "Atrous is faster".

Found:  as accurate as the full VGG16 (74.3 against 74.2), which is about 20 % slower.
Expect: no supported difference in accuracy; by multiply-adds, the full VGG16 runs at 0.76 times the images/s.
Cost:   2 trainings at full length, 3.8 million images.
Run:    ssdpipe run ablation-atrous --preset tiny
Differs: the paper specifies neither boxes nor layers of the full network: ours keeps SSD300's maps and 8732 boxes.
"""

from __future__ import annotations

from experiments.framework.experiment import Experiment, Row
from experiments.framework.presets import Preset
from experiments.framework.runs import RUNS, Run
from experiments.published import TABLE_2
from pipeline.stage import Stage
from stages.speed.graphs import timed_side_by_side
from stages.speed.network import Network

ATROUS, FULL = RUNS["ssd300-voc0712"], RUNS["ssd300-full-vgg-voc0712"]


def speeds(preset: Preset) -> tuple[Stage, ...]:
    """Images/s of both networks, timed alternately; untrained networks suffice."""

    def network(run: Run, label: str) -> Network:
        return Network(label=label, spec=preset.setup(run).recipe.spec)

    networks = network(ATROUS, "atrous"), network(FULL, "full VGG16")
    test = preset.setup(ATROUS).test_shards()
    return (timed_side_by_side(networks, test=test, variant="atrous", placement=preset.placement),)


experiment = Experiment(
    name="ablation-atrous",
    question="What does the atrous VGG16 gain?",
    answers="Table 2",
    found="the same accuracy, while the full VGG16 is about 20 % slower",
    expects="no difference in accuracy, and a slower full VGG16",
    differs="boxes and upper layers of the full network are our choice, as the paper does not specify them",
    row_title="network",
    rows=(
        Row(label="atrous, reduced", run=ATROUS, published=TABLE_2["ssd300"].mean),
        Row(label="full VGG16", run=FULL, published=TABLE_2["no-atrous"].mean),
    ),
    figures=speeds,
)
