"""`ssdpipe analyze`: the errors of any detector by kind and by what they cost, from its detection files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.cli.shared.detection_files import (
    AnnotationsOption,
    CornersOption,
    DetectionsArgument,
    SplitOption,
    read_any,
    refuse_unused,
)
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from pipeline.folder import Folder
    from stages.analysis.analysis import AnalysisOptions
    from stages.analysis.known_groups import Grouping
    from stages.evaluation.voc_truth import Files

FOLDER = "analysis"

UNIT = "Cor to BG: % of the best detections, as many as a class has objects on average"

SHOWN = 5
"""Number of suspected annotations in the printed list."""


def analyze(
    files: DetectionsArgument,
    annotations: AnnotationsOption,
    split: SplitOption = "",
    out: Annotated[
        Path | None,
        typer.Option(help=f"Folder for the page, figures and numbers. By default `{FOLDER}`, and none with --json."),
    ] = None,
    iou: Annotated[float, typer.Option(help="Minimum IoU of a correct detection, above 0.1.")] = 0.5,
    corners: CornersOption = False,
    group: Annotated[
        list[str] | None, typer.Option(metavar="NAME=CLASS,...", help="A group of classes to summarise; repeatable.")
    ] = None,
    similar: Annotated[
        list[str] | None, typer.Option(metavar="CLASS,...", help="Classes that count as similar; repeatable.")
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder of the images, to draw right and wrong detections; by default VOC's JPEGImages."
        ),
    ] = None,
    score: Annotated[
        float, typer.Option(help="Minimum score in the confusion matrix and for a second calibration error.")
    ] = 0.3,
    hoiem_fixed: Annotated[
        bool,
        typer.Option(
            "--hoiem-fixed", help="Count background errors once where the tool of Hoiem et al. counts them twice."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole analysis as JSON.")] = False,
) -> None:
    """Break down a detector's errors by kind, cost, size and score.

    Kinds are those of Hoiem et al. (2012) and of TIDE (2020); with curves of precision and recall, calibration, and
    annotations that are probably wrong. Reads VOC, COCO and CSV files and text files per image, without Ray;
    images are drawn where they are found. Groups and similar classes are built in for VOC, COCO and the drawn images;
    for other data sets use --group and --similar.
    """
    from pipeline.folder import Folder
    from stages.analysis.analysis import AnalysisOptions, analyse

    refuse_unused(files, annotations, split, corners)
    read = read_any(files, annotations, split, corners)
    for note in read.notes:
        typer.echo(f"note: {note}", err=True)
    grouping = _grouping(read.classes, group or [], similar or [])
    options = AnalysisOptions(
        similar=grouping.similar,
        groups=grouping.groups,
        fixed=hoiem_fixed,
        score_threshold=score,
        iou=iou,
        pixel_extent=read.pixel_extent,
    )
    document = analyse(read.detections, read.truth, classes=read.classes, image_ids=read.image_ids, options=options)
    if as_json:
        print(json.dumps(document, indent=1))
    else:
        print(table(document), losses(document), calibration(document), suspects(document), sep="\n\n")
    if out or not as_json:
        folder = Folder(str((out or Path(FOLDER)).resolve()))
        pictures = _draw(read, images or Path(annotations) / "JPEGImages", folder, options, asked=images is not None)
        _write(document, pictures, folder, grouping, silent=as_json)


def _draw(files: Files, images: Path, out: Folder, options: AnalysisOptions, *, asked: bool) -> list[str]:
    """Draw right and wrong detections if the images are at hand; return the names of the pictures."""
    from stages.analysis.detection_pictures import Choice
    from stages.analysis.pictured_files import draw_files

    if not images.is_dir():
        if asked:
            raise PipelineError(f"there is no folder {images} with images")
        return []
    rule = {"iou": options.iou, "pixel_extent": options.pixel_extent}
    choice = Choice(min_score=0.6, images=16, columns=6, seed=0, similar=options.similar, **rule)
    pictures, present = draw_files(files, images, choice, out)
    if present < len(files.image_ids):
        typer.echo(f"note: pictures show {present} of {len(files.image_ids)} images, those in {images}", err=True)
    return pictures


def _write(document: dict[str, Any], pictures: list[str], folder: Folder, grouping: Grouping, *, silent: bool) -> None:
    from stages.analysis.analysis_files import FIGURES, write_files
    from stages.reporting.analysis_page import PAGE, page

    written = [*write_files(document, folder, shown=grouping.shown), *pictures]
    figures = {name: folder.read_bytes(f"{name}.svg") for name in FIGURES}
    drawn = {name.rpartition(".")[0]: folder.read_bytes(name) for name in pictures}
    folder.write_bytes(PAGE, page(document, figures, drawn).encode())
    if not silent:
        print(f"\nwritten to {folder.place()}: {PAGE} shows all of it, from {len(written)} files beside it")


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
    return f"{columns(rows)}\n{UNIT}"


def losses(document: dict[str, Any]) -> str:
    """TIDE's errors: their number, and the average precision that each costs."""
    from experiments.cli.shared.printing import columns, percent

    found = document["tide"]
    rows = [("TIDE", "number", "AP lost")]
    rows += [(name, f"{item['count']:,}", percent(item["dAP"])) for name, item in found["errors"].items()]
    rows.append((f"of AP {percent(found['AP'])} at IoU {document['iou']:g}", "", ""))
    return columns(rows)


def calibration(document: dict[str, Any]) -> str:
    """The expected calibration error."""
    from experiments.cli.shared.printing import percent

    found = document["calibration"]
    if not found:
        return "calibration: scores are not between 0 and 1"
    parts = [("all detections", found["error"]), (f"scores from {found['score']:g}", found["error_above"])]
    texts = [f"{percent(value)} ({name})" for name, value in parts if value is not None]
    return f"calibration error (ECE): {', '.join(texts) or '-'}"


def suspects(document: dict[str, Any]) -> str:
    """The annotations that are most probably wrong."""
    from experiments.cli.shared.printing import columns

    listed = document["suspects"]
    if not listed:
        return "no annotation is probably wrong"
    rows = [
        (item["image"], item["fault"], item["annotated"] or "-", item["detected"], f"{item['suspicion']:.2f}")
        for item in listed[:SHOWN]
    ]
    more = f"\nand {len(listed) - SHOWN} more, in the page and in --json" if len(listed) > SHOWN else ""
    return columns([("probably wrong", "fault", "annotated", "detected", "suspicion"), *rows]) + more


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
