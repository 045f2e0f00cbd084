"""What several detectors have in common, in one figure: their sensitivities (paper, Figures 4 and 6), and their COCO
numbers by size of the objects.

The result: `sensitivity.png` and `.svg`, or `sizes.png` and `.svg`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.stage import Context, Stage

SENSITIVITY, SIZES = "sensitivity", "sizes"


@dataclass(frozen=True, kw_only=True)
class DrawSensitivities(Stage):
    """A row for each analysis, under its title."""

    kind = "draw-sensitivities"
    analyses: tuple[Stage, ...]
    titles: tuple[str, ...]
    shown: tuple[str, ...]
    """Classes; those without objects are left out."""

    properties: tuple[Literal["area", "aspect"], ...] = ("area", "aspect")

    def artifacts(self) -> tuple[str, ...]:
        return (f"{SENSITIVITY}.png", f"{SENSITIVITY}.svg")

    def run(self, ctx: Context) -> None:
        from stages.analysis.analyze import ANALYSIS
        from stages.analysis.hoiem_sensitivity_figure import sensitivity_figure

        documents = [ctx.input(analysis).read_json(ANALYSIS) for analysis in self.analyses]
        detectors = dict(zip(self.titles, documents, strict=True))
        _write(ctx, SENSITIVITY, sensitivity_figure(detectors, shown=self.shown, properties=self.properties))


@dataclass(frozen=True, kw_only=True)
class DrawCocoSizes(Stage):
    """Average precision and recall by size, a bar for each COCO evaluation."""

    kind = "draw-coco-sizes"
    evaluations: tuple[Stage, ...]
    titles: tuple[str, ...]

    def artifacts(self) -> tuple[str, ...]:
        return (f"{SIZES}.png", f"{SIZES}.svg")

    def run(self, ctx: Context) -> None:
        from pipeline.store.record import SUMMARY
        from stages.figures.coco_sizes import coco_sizes_figure

        summaries = [ctx.input(evaluation).read_json(SUMMARY) for evaluation in self.evaluations]
        _write(ctx, SIZES, coco_sizes_figure(dict(zip(self.titles, summaries, strict=True))))


def _write(ctx: Context, name: str, figure: object) -> None:
    from stages.figures.formats import png_and_svg

    for suffix, content in png_and_svg(figure).items():
        ctx.out.write_bytes(f"{name}.{suffix}", content)
