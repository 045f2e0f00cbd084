"""The parameters of a training in MLflow: few enough to compare runs by, under the names that `-s` takes."""

from __future__ import annotations

from dataclasses import fields
from textwrap import shorten

from pipeline.stage import Stage
from ssd_core.spec.departures import leaves
from ssd_core.spec.detector import Source
from ssd_core.spec.recipe import Recipe

LONGEST = 1000
"""Characters of the class names that are shown; the weights hold them all."""


def training_parameters(recipe: Recipe, initial: Stage | None) -> dict[str, str | int | float]:
    """A summary of the detector, and every other setting by its name in `ssdpipe recipe show`."""
    spec = recipe.spec
    return {
        "input_size": spec.input_size,
        "classes": len(spec.classes),
        "class_names": shorten(", ".join(spec.classes), LONGEST, placeholder=" ..."),
        "backbone": type(spec.backbone).__name__,
        "sources": " ".join(source.layer for source in spec.sources),
        "ratios": " ".join(_ratios(source) for source in spec.sources),
        "boxes": spec.box_count,
        "boundary_boxes": str(spec.use_boundary_boxes),
        "initial": initial.address if initial else "scratch",
        "training_seed": recipe.seed,
        **_settings(recipe),
    }


def _settings(recipe: Recipe) -> dict[str, str]:
    names = [item.name for item in fields(Recipe) if item.name not in ("spec", "seed")]
    return dict(leaf for name in names for leaf in leaves(getattr(recipe, name), name))


def _ratios(source: Source) -> str:
    """Aspect ratios of all default boxes of a feature map, such as 1,2,3."""
    return ",".join(f"{ratio:g}" for ratio in sorted({1.0, *(r for scale in source.scales for r in scale.ratios)}))
