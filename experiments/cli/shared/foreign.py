"""Options for what a file of another program does not say about itself.

Tested in tests/experiments/cli/test_weights.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ssd_core.spec.paper import Flavour
from ssd_core.weights.layouts.layout import LayoutName

if TYPE_CHECKING:
    from ssd_core.weights.layouts.layout import ImportChoices


@dataclass(frozen=True, kw_only=True)
class ForeignOptions:
    """All of them may be left out."""

    layout: Annotated[LayoutName | None, typer.Option(help="Whose file it is; recognised by its names by default.")] = (
        None
    )
    classes: Annotated[
        str,
        typer.Option(metavar="voc|coco|FILE", help="Classes of the file: one per line, in order, no background."),
    ] = ""
    scales: Annotated[
        Flavour | None,
        typer.Option(help="Of the default boxes; those of the classes by default. Fine-tuned from COCO: coco."),
    ] = None
    clip_boxes: Annotated[
        bool | None,
        typer.Option("--clip-boxes/--no-clip-boxes", help="Default boxes clamped or not, against the layout's way."),
    ] = None

    def choices(self) -> ImportChoices:
        """PipelineError when the file of classes cannot be read."""
        from ssd_core.weights.layouts.layout import ImportChoices

        return ImportChoices(
            layout=self.layout, classes=named_classes(self.classes), scales=self.scales, clip_boxes=self.clip_boxes
        )


def named_classes(named: str) -> tuple[str, ...]:
    """Classes of a vocabulary, or lines of a file; none without a name."""
    from pipeline.errors import PipelineError
    from ssd_core.spec.vocabularies import COCO_CLASSES, VOC_CLASSES

    known = {"": (), "voc": VOC_CLASSES, "coco": COCO_CLASSES}
    if named in known:
        return known[named]
    if not (file := Path(named).expanduser()).is_file():
        raise PipelineError(f"--classes takes voc, coco or a file of names; there is no file {file}")
    return tuple(line.strip() for line in file.read_text().splitlines() if line.strip())
