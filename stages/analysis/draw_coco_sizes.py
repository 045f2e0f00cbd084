"""COCO metrics of several detectors by object size, in one figure: `sizes.png` and `.svg`.

Tested in tests/stages/analysis/test_side_by_side.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.stage import Context, Stage
from pipeline.store.record import SUMMARY

SIZES = "sizes"


@dataclass(frozen=True, kw_only=True)
class DrawCocoSizes(Stage):
    """Average precision and recall by object size, one bar per COCO evaluation."""

    kind = "draw-coco-sizes"
    evaluations: tuple[Stage, ...]
    titles: tuple[str, ...]

    def artifacts(self) -> tuple[str, ...]:
        return (f"{SIZES}.png", f"{SIZES}.svg")

    def run(self, ctx: Context) -> None:
        from stages.figures.coco_sizes import coco_sizes_figure
        from stages.figures.style import png_and_svg

        summaries = [ctx.input(evaluation).read_json(SUMMARY) for evaluation in self.evaluations]
        figure = coco_sizes_figure(dict(zip(self.titles, summaries, strict=True)))
        for suffix, content in png_and_svg(figure).items():
            ctx.out.write_bytes(f"{SIZES}.{suffix}", content)
