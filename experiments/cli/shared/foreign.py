"""Options for what another program's weights file does not record.

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
    """Options for weights files of other programs; all are optional."""

    layout: Annotated[
        LayoutName | None,
        typer.Option(help="Program that wrote the file; by default recognised from its tensor names."),
    ] = None
    classes: Annotated[
        str,
        typer.Option(
            metavar="voc|coco|FILE",
            help="Classes of the detector; a FILE lists one per line, in order, without background.",
        ),
    ] = ""
    scales: Annotated[
        Flavour | None,
        typer.Option(
            help="Scales of the default boxes; by default those of the classes. Use coco if fine-tuned from COCO."
        ),
    ] = None
    clip_boxes: Annotated[
        bool | None,
        typer.Option(
            "--clip-boxes/--no-clip-boxes",
            help="Clip default boxes to the image or not, overriding the program's convention.",
        ),
    ] = None

    def choices(self) -> ImportChoices:
        """The options as choices for the import. Raises PipelineError when the file of classes does not exist."""
        from ssd_core.weights.layouts.layout import ImportChoices

        return ImportChoices(
            layout=self.layout, classes=named_classes(self.classes), scales=self.scales, clip_boxes=self.clip_boxes
        )


def named_classes(named: str) -> tuple[str, ...]:
    """Classes of a named vocabulary or lines of a file; empty for an empty name."""
    from pipeline.errors import PipelineError
    from ssd_core.spec.vocabularies import COCO_CLASSES, VOC_CLASSES

    known = {"": (), "voc": VOC_CLASSES, "coco": COCO_CLASSES}
    if named in known:
        return known[named]
    if not (file := Path(named).expanduser()).is_file():
        raise PipelineError(f"--classes takes voc, coco or a file of names; there is no file {file}")
    return tuple(line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip())
