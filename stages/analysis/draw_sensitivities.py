"""The sensitivities of several detectors in one figure (paper, Figures 4 and 6): `sensitivity.png` and `.svg`.

Tested in tests/stages/analysis/test_side_by_side.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.stage import Context, Stage
from stages.analysis.document import ANALYSIS

SENSITIVITY = "sensitivity"


@dataclass(frozen=True, kw_only=True)
class DrawSensitivities(Stage):
    """One row per analysis, under its title."""

    kind = "draw-sensitivities"
    analyses: tuple[Stage, ...]
    titles: tuple[str, ...]
    shown: tuple[str, ...]
    """Classes to show; those without objects are omitted."""

    properties: tuple[Literal["area", "aspect"], ...] = ("area", "aspect")

    def artifacts(self) -> tuple[str, ...]:
        return (f"{SENSITIVITY}.png", f"{SENSITIVITY}.svg")

    def run(self, ctx: Context) -> None:
        from stages.analysis.hoiem_sensitivity_figure import sensitivity_figure
        from stages.figures.style import png_and_svg

        documents = [ctx.input(analysis).read_json(ANALYSIS) for analysis in self.analyses]
        detectors = dict(zip(self.titles, documents, strict=True))
        figure = sensitivity_figure(detectors, shown=self.shown, properties=self.properties)
        for suffix, content in png_and_svg(figure).items():
            ctx.out.write_bytes(f"{SENSITIVITY}.{suffix}", content)
