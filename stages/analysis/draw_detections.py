"""Pictures of a detector's results: whole images with confident detections, and crops of right and wrong ones.

The result: `detections.jpg` (paper, Figure 5), `right-and-wrong.jpg`, and `picked.json`, which lists the images and
boxes shown. A picture that would be empty is left out, such as that of the whole images of a detector that is sure of
nothing. `ssd_core.metrics.analysis.findings` defines the kinds of wrong detections.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.stage import Context, Stage


@dataclass(frozen=True, kw_only=True)
class DrawDetections(Stage):
    """Pictures of one detector on one set of shards."""

    kind = "pictures"
    detections: Stage
    shards: Stage
    training: Stage | None = None
    """The training whose record these pictures join."""

    min_score: float = 0.6
    """Exclusive lower bound of the scores on the sheet, as in the paper."""

    images: int = 16
    """Number of images on the sheet, sampled by the seed from those with a detection above the score."""

    columns: int = 6
    """Number of crops of each kind, highest scores first, no two from one image."""

    seed: int = 0
    similar: tuple[tuple[str, ...], ...] = ()
    """Sets of mutually similar classes, see `stages.analysis.known_groups`."""

    def tracked_by(self) -> Stage | None:
        return self.training

    def artifacts(self) -> tuple[str, ...]:
        from stages.analysis.detection_pictures import CROPS, SHEET

        return (SHEET, CROPS)

    def run(self, ctx: Context) -> None:
        from stages.analysis.detection_pictures import Choice, draw

        choice = Choice(
            min_score=self.min_score, images=self.images, columns=self.columns, seed=self.seed, similar=self.similar
        )
        draw(choice, ctx.input(self.detections), ctx.input(self.shards), ctx.out)
