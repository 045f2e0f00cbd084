"""Error analysis of a detector from detections and shards: the kinds of errors of Hoiem et al. and of TIDE, a confusion
matrix, curves of precision and recall, calibration, and annotations that are probably wrong.

The result: `analysis.json` (see `document.py`), `summary.json` (its main numbers), the figures `trends`, `sensitivity`,
`confusion`, `tide`, `precision-recall` and `calibration`, each as .png and .svg.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.stage import Context, Stage
from stages.analysis.document import ANALYSIS


@dataclass(frozen=True, kw_only=True)
class Analyze(Stage):
    """Analysis of one detector on one set of shards."""

    detections: Stage
    shards: Stage
    training: Stage | None = None
    """The training whose record these metrics and figures join."""

    similar: tuple[tuple[str, ...], ...] = ()
    """Sets of mutually similar classes."""

    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Name and classes of each group; if empty, all classes form one. `known_groups.py` has VOC's and others."""

    shown: tuple[str, ...] = ()
    """Classes in the figures of sensitivity and, if all are too many, of precision and recall; if empty, the first."""

    fixed: bool = False
    """Count background once where the original tool counts it twice, see `ssd_core.metrics.analysis.trends`."""

    score_threshold: float = 0.3
    """Score threshold of the confusion matrix, and of the second calibration error."""

    iou: float = 0.5
    """Minimum overlap of a correct detection."""

    def tracked_by(self) -> Stage | None:
        return self.training

    def artifacts(self) -> tuple[str, ...]:
        from stages.analysis.analysis_files import FIGURES

        return (ANALYSIS, *(f"{name}.png" for name in FIGURES))

    def run(self, ctx: Context) -> None:
        from stages.analysis.analysis import AnalysisOptions
        from stages.analysis.analysis_files import analyse_shards

        options = AnalysisOptions(
            similar=self.similar,
            groups=self.groups,
            fixed=self.fixed,
            score_threshold=self.score_threshold,
            iou=self.iou,
        )
        analyse_shards(ctx.input(self.detections), ctx.input(self.shards), ctx.out, options=options, shown=self.shown)
