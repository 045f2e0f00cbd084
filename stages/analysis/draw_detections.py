"""What a detector finds, in pictures: whole images with its sure detections, and cuttings of what is right and wrong.

The result: `detections.png` (paper, Figure 5) and `right-and-wrong.png`, and `picked.json`, which images and boxes
they show. Kinds of wrong detections are those of `ssd_core.metrics.analysis.findings`.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.stage import Context, Stage


@dataclass(frozen=True, kw_only=True)
class DrawDetections(Stage):
    """Of one detector on one set of shards."""

    kind = "pictures"
    detections: Stage
    shards: Stage
    training: Stage | None = None
    """The training whose record these pictures join."""

    min_score: float = 0.6
    """Exclusive; the paper's."""

    images: int = 16
    """On the sheet, drawn by the seed from those with a detection above the score."""

    columns: int = 6
    """Cuttings of each kind, the surest detections first, no two of one image."""

    seed: int = 0
    similar: tuple[tuple[str, ...], ...] = ()
    """Sets of classes of which any two are alike, see `stages.analysis.known_groups`."""

    def tracked_by(self) -> Stage | None:
        return self.training

    def artifacts(self) -> tuple[str, ...]:
        from stages.analysis.detection_pictures import CUTTINGS, SHEET

        return (SHEET, CUTTINGS)

    def run(self, ctx: Context) -> None:
        from stages.analysis.detection_pictures import Choice, draw

        choice = Choice(
            min_score=self.min_score, images=self.images, columns=self.columns, seed=self.seed, similar=self.similar
        )
        draw(choice, ctx.input(self.detections), ctx.input(self.shards), ctx.out)
