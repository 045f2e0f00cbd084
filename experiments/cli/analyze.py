"""`ssdpipe analyze`: why a detector fails, from the files of any detector."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from stages.analysis.known_groups import Grouping


def analyze(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Files <name>_<class>.txt: id score and four corners.")],
    annotations: Annotated[str, typer.Option(metavar="VOC_DIR", help="Folder with Annotations and ImageSets.")],
    split: Annotated[str, typer.Option(help="List of images in ImageSets/Main.")] = "test",
    out: Annotated[Path, typer.Option(help="Where figures and numbers are written.")] = Path("analysis"),
    group: Annotated[list[str] | None, typer.Option(metavar="NAME=CLASS,...", help="A group to sum up.")] = None,
    similar: Annotated[list[str] | None, typer.Option(metavar="CLASS,...", help="Classes that are alike.")] = None,
    score: Annotated[float, typer.Option(help="Least score in the confusion matrix.")] = 0.3,
    hoiem_fixed: Annotated[
        bool, typer.Option("--hoiem-fixed", help="Count background once where the tool of Hoiem et al. does twice.")
    ] = False,
) -> None:
    """Sort detections into correct and four kinds of false positives, after Hoiem et al.; no images, no Ray.

    Groups and similar classes of VOC, COCO and the drawn images are known; name those of other data sets.
    """
    from pipeline.folder import Folder
    from stages.analysis.analysis import Manner, analyse
    from stages.analysis.analysis_files import write_files
    from stages.evaluation.voc_detections import read_files

    files = read_files(folder, annotations, split)
    for note in files.notes:
        typer.echo(f"note: {note}", err=True)
    grouping = _grouping(files.classes, group or [], similar or [])
    manner = Manner(similar=grouping.similar, groups=grouping.groups, fixed=hoiem_fixed, score_threshold=score)
    document = analyse(files.found, files.truth, classes=files.classes, images=files.images, manner=manner)
    written = write_files(document, Folder(str(out.resolve())), shown=grouping.shown)
    print(table(document))
    print(f"\nwritten to {out}: {', '.join(written)}")


def table(document: dict[str, Any]) -> str:
    """Shares in percent among as many detections as the mean class of the group has objects, and recall there."""
    from experiments.cli.shared.printing import columns, percent

    kinds = ("Cor", "Loc", "Sim", "Oth", "BG")
    rows = [("group", "objects", *kinds, "recall", "at IoU 0.1")]
    for name, item in document["groups"].items():
        trend = item["detections"]
        place = trend["ticks"].index(1.0)
        values = [trend[key][place] for key in (*kinds, "recall", "weak_recall")]
        rows.append((name, str(trend["objects"]), *("-" if value is None else percent(value) for value in values)))
    return columns(rows)


def _grouping(classes: tuple[str, ...], groups: list[str], similar: list[str]) -> Grouping:
    """What is named, or else what is known of these classes."""
    from stages.analysis.known_groups import Grouping, grouping_of

    if not groups and not similar:
        return grouping_of(classes)
    return Grouping(
        groups=tuple(_named(text, classes) for text in groups),
        similar=tuple(_classes_in(text, classes) for text in similar),
    )


def _named(text: str, classes: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    name, equals, names = text.partition("=")
    if not equals:
        raise PipelineError(f"--group needs NAME=CLASS,CLASS, such as round={','.join(classes[:2])}, but is {text!r}")
    return name.strip(), _classes_in(names, classes)


def _classes_in(text: str, classes: tuple[str, ...]) -> tuple[str, ...]:
    from experiments.cli.shared.options import listed
    from pipeline.suggestion import suggestion

    names = listed(text)
    for name in names:
        if name not in classes:
            raise PipelineError(f"there is no class {name!r} with objects; {suggestion(name, classes)}")
    return names
