"""Drawing of the network as in the paper (Figure 2); needs no training.

Tested in tests/stages/figures/test_architecture.py.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from pipeline.stage import Context, Stage
from ssd_core.spec.detector import DetectorSpec

ARCHITECTURE = "architecture"
LAYERS = "layers.json"


@dataclass(frozen=True, kw_only=True)
class DrawArchitecture(Stage):
    """`architecture.svg` and `.png`, and `layers.json` with the numbers shown; all derived from the network itself."""

    spec: DetectorSpec
    title: str = ""

    def artifacts(self) -> tuple[str, ...]:
        return (f"{ARCHITECTURE}.png", f"{ARCHITECTURE}.svg", LAYERS)

    def run(self, ctx: Context) -> None:
        from ssd_core.network.layer_table import layer_table
        from stages.figures.architecture import architecture_figure
        from stages.figures.style import png_and_svg

        table = layer_table(self.spec)
        for suffix, content in png_and_svg(architecture_figure(table, self.title)).items():
            ctx.out.write_bytes(f"{ARCHITECTURE}.{suffix}", content)
        ctx.out.write_json(LAYERS, asdict(table))
