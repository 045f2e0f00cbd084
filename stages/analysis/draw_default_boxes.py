"""Drawing of default boxes as in the paper (Figure 1); needs no training.

Tested in tests/stages/figures/test_architecture.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.stage import Context, Stage

DEFAULT_BOXES = "default-boxes"


@dataclass(frozen=True, kw_only=True)
class DrawDefaultBoxes(Stage):
    """`default-boxes.svg` and `.png`: the boxes matched to two objects on feature maps of 8x8 and 4x4 cells."""

    def artifacts(self) -> tuple[str, ...]:
        return (f"{DEFAULT_BOXES}.png", f"{DEFAULT_BOXES}.svg")

    def run(self, ctx: Context) -> None:
        from stages.figures.default_boxes import default_boxes_figure
        from stages.figures.style import png_and_svg

        for suffix, content in png_and_svg(default_boxes_figure()).items():
            ctx.out.write_bytes(f"{DEFAULT_BOXES}.{suffix}", content)
