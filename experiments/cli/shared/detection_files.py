"""Arguments for detection files and what they are scored against, of `evaluate detections` and `analyze`.

Tested in tests/experiments/cli/test_evaluate.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from stages.evaluation.voc_truth import Files

DetectionsArgument = Annotated[
    Path,
    typer.Argument(
        metavar="DIR|FILE",
        help="Folder of VOC's files <name>_<class>.txt (a line holds id, score and corners), or of text files per "
        "image; a CSV with the column score; or COCO's results JSON.",
    ),
]
AnnotationsOption = Annotated[
    str,
    typer.Option(
        metavar="DIR|FILE",
        help="Folder that contains Annotations and ImageSets, or text files per image; a CSV; or COCO's JSON.",
    ),
]
SplitOption = Annotated[
    str,
    typer.Option(
        help="VOC: image list in ImageSets/Main. CSV: value of its column split. By default test, or the only one."
    ),
]
CornersOption = Annotated[
    bool,
    typer.Option("--corners", help="Text files per image hold xmin ymin xmax ymax instead of x y width height."),
]


def refuse_unused(detections: Path, annotations: str, split: str, corners: bool) -> None:
    """Raise PipelineError for an option that means nothing for these files."""
    from stages.evaluation.files import any_files

    any_files.refuse_unused(detections, annotations, split=split, corners=corners)


def read_any(detections: Path, annotations: str, split: str, corners: bool) -> Files:
    """Detections and annotations in any form. Raises PipelineError for what cannot be read or does not fit."""
    from stages.evaluation.files import any_files

    return any_files.read_any(detections, annotations, split=split, corners=corners)
