"""What does SSD get wrong? Paper, section 3.1 "Model analysis" and Figures 3, 4 and 6, with the method of Hoiem et al.

Found:  SSD512 makes few localisation errors but confuses similar classes; it is weak on small objects, and zoom-out
augmentation helps with those.
Expect: the same kinds of errors; less sensitivity to size from SSD300 to SSD512 and with the star.
Cost:   4 trainings at full length, 11.5 million images.
Run:    ssdpipe run error-analysis --preset tiny
Differs: the paper does not name the training set of Figure 3; ours is 07+12.

Tested in tests/experiments/framework/test_loading.py.
"""

from __future__ import annotations

from experiments.framework.experiment import Experiment, Row
from experiments.framework.presets import Preset
from experiments.framework.runs import RUNS
from experiments.published import TABLE_6
from pipeline.stage import Stage
from stages.analysis.analyze import Analyze
from stages.analysis.draw_sensitivities import DrawSensitivities
from stages.analysis.known_groups import grouping_of

DETECTORS = {
    "SSD300": RUNS["ssd300-voc0712"],
    "SSD512": RUNS["ssd512-voc0712"],
    "SSD300*": RUNS["ssd300-expand-voc0712"],
    "SSD512*": RUNS["ssd512-expand-voc0712"],
}


def figures(preset: Preset) -> tuple[Stage, ...]:
    """An analysis of each detector (Figure 3 is SSD512's), and Figures 4 and 6."""
    analyses = {title: _analysis(title, preset) for title in DETECTORS}
    plain = ("SSD300", "SSD512")
    shown = analyses["SSD512"].shown or preset.setup(DETECTORS["SSD512"]).recipe.spec.classes
    figure_4 = DrawSensitivities(
        analyses=tuple(analyses[title] for title in plain), titles=plain, shown=shown, variant="figure4"
    )
    figure_6 = DrawSensitivities(
        analyses=tuple(analyses.values()), titles=tuple(analyses), shown=shown, properties=("area",), variant="figure6"
    )
    return (*analyses.values(), figure_4, figure_6)


def _analysis(title: str, preset: Preset) -> Analyze:
    run = DETECTORS[title]
    evaluation = preset.setup(run).evaluation(table=experiment.answers)
    known = grouping_of(preset.setup(run).recipe.spec.classes)
    return Analyze(
        detections=evaluation.detections,
        shards=evaluation.shards,
        training=evaluation.training,
        similar=known.similar,
        groups=known.groups,
        shown=known.shown,
        variant=run.name,
    )


experiment = Experiment(
    name="error-analysis",
    question="What does SSD get wrong?",
    answers="Figures 3, 4, 6",
    found="few localisation errors, many confusions of similar classes; weak on small objects, less so with the star",
    expects="the same kinds of errors, and less sensitivity to size with a larger input and with the star",
    differs="the paper does not name the training set of Figure 3; ours is 07+12",
    row_title="detector",
    rows=tuple(Row(label=title, run=run, published=TABLE_6[title].voc07) for title, run in DETECTORS.items()),
    figures=figures,
)
