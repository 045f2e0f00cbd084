"""`ssdpipe analyze`: the errors of any detector by kind, from its detection files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from stages.analysis.known_groups import Grouping


def analyze(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="Folder of files <name>_<class>.txt; a line holds image id, score, xmin, ymin, xmax, ymax.",
        ),
    ],
    annotations: Annotated[
        str, typer.Option(metavar="VOC_DIR", help="Folder that contains Annotations and ImageSets.")
    ],
    split: Annotated[str, typer.Option(help="Image list in ImageSets/Main.")] = "test",
    out: Annotated[Path, typer.Option(help="Folder to write figures and numbers to.")] = Path("analysis"),
    group: Annotated[
        list[str] | None, typer.Option(metavar="NAME=CLASS,...", help="A group of classes to summarise; repeatable.")
    ] = None,
    similar: Annotated[
        list[str] | None, typer.Option(metavar="CLASS,...", help="Classes that count as similar; repeatable.")
    ] = None,
    score: Annotated[float, typer.Option(help="Minimum score in the confusion matrix.")] = 0.3,
    hoiem_fixed: Annotated[
        bool,
        typer.Option(
            "--hoiem-fixed", help="Count background errors once where the tool of Hoiem et al. counts them twice."
        ),
    ] = False,
) -> None:
    """Break down a detector's errors by kind (Hoiem, 2012).

    Detections are sorted into correct ones and four kinds of false positives. Needs neither images nor Ray. Groups and
    similar classes are built in for VOC, COCO and the drawn images; for other data sets use --group and --similar.
    """
    from pipeline.folder import Folder
    from stages.analysis.analysis import AnalysisOptions, analyse
    from stages.analysis.analysis_files import write_files
    from stages.evaluation.voc_detections import read_files

    files = read_files(folder, annotations, split)
    for note in files.notes:
        typer.echo(f"note: {note}", err=True)
    grouping = _grouping(files.classes, group or [], similar or [])
    options = AnalysisOptions(
        similar=grouping.similar, groups=grouping.groups, fixed=hoiem_fixed, score_threshold=score
    )
    document = analyse(files.detections, files.truth, classes=files.classes, images=files.images, options=options)
    written = write_files(document, Folder(str(out.resolve())), shown=grouping.shown)
    print(table(document))
    print(f"\nwritten to {out}: {', '.join(written)}")


def table(document: dict[str, Any]) -> str:
    """Shares in percent among the top N detections of each group, and recall there; N is its mean number of objects."""
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
    """The groups given by options, or else the built-in ones for these classes."""
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
        raise PipelineError(f"--group takes NAME=CLASS,CLASS, such as round={','.join(classes[:2])}, not {text!r}")
    return name.strip(), _classes_in(names, classes)


def _classes_in(text: str, classes: tuple[str, ...]) -> tuple[str, ...]:
    from experiments.cli.shared.options import comma_separated
    from pipeline.suggestion import suggestion

    names = comma_separated(text)
    for name in names:
        if name not in classes:
            raise PipelineError(f"no object has the class {name!r}; {suggestion(name, classes)}")
    return names
