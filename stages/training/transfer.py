"""Weights of a detector for other classes, as initial weights of a fine-tuning (paper section 3.4, after COCO)."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.stage import Context, Stage
from stages.training.weight_files import WEIGHTS, stored_weights


@dataclass(frozen=True, kw_only=True)
class Transfer(Stage):
    """Keeps the box regression, and the class outputs of the classes in `names`."""

    weights: Stage
    classes: tuple[str, ...]
    names: tuple[tuple[str, str], ...]
    """Pairs (class of the weights, its name in `classes`)."""

    def run(self, ctx: Context) -> None:
        from ssd_core.weights.head_transfer import transferred
        from ssd_core.weights.weights import save_weights

        weights = stored_weights(ctx.input(self.weights))
        with ctx.out.open_output(WEIGHTS) as stream:
            save_weights(transferred(weights, self.classes, dict(self.names)), stream)
