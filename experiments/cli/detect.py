"""`ssdpipe detect`: a detector on the user's own pictures."""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli.shared.completion import complete_training
from experiments.cli.shared.foreign import ForeignOptions
from experiments.cli.shared.options import StorePlace
from pipeline.errors import PipelineError
from stages.inference.label_format import LabelFormat

if TYPE_CHECKING:
    from stages.inference.image_detections import ImageDetections
    from stages.inference.predictor import Predictor
    from stages.inference.result_folder import ResultFolder
    from stages.inference.running import Unreadable
    from stages.inference.sources import Source

FOLDER = Path("detections")
CSV_COLUMNS = ("image", "class", "score", "xmin", "ymin", "xmax", "ymax")


def detect(
    weights: Annotated[
        str,
        typer.Argument(
            metavar="WEIGHTS",
            help="A file of ssdpipe or another program, a training in the store such as train/ssd200-narrow, or an "
            "MLflow model such as models:/name/1.",
            show_default=False,
            autocompletion=complete_training,
        ),
    ],
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGES...",
            help="Pictures, videos, folders, quoted patterns such as '**/*.jpg'; - reads a picture, or paths one a "
            "line, from standard input.",
            show_default=False,
        ),
    ],
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help=f"Folder for drawn pictures and index.html. By default `{FOLDER}`, and none with --json or --csv.",
        ),
    ] = None,
    min_score: Annotated[float, typer.Option(min=0, max=1, help="Lower bound of scores, exclusive.")] = 0.5,
    as_json: Annotated[bool, typer.Option("--json", help="Print the detections as JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the detections as CSV, one a line.")] = False,
    labels: Annotated[
        LabelFormat | None, typer.Option("--format", help="Also write the detections as annotations in this layout.")
    ] = None,
    crops: Annotated[bool, typer.Option("--crops", help="Also write what is inside each box, by class.")] = False,
    limits: Annotated[
        list[str] | None,
        typer.Option(
            "-s", "--set", metavar="FIELD=VALUE", help="Change a detection limit, such as max_iou=0.6; repeatable."
        ),
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Pictures computed at once.")] = 16,
    device: Annotated[str, typer.Option(metavar="cpu|cuda", help="By default a GPU if there is one.")] = "",
    every: Annotated[int, typer.Option(min=1, help="Of a video, take only every Nth frame.")] = 1,
    foreign: ForeignOptions,
    place: StorePlace,
) -> None:
    """Detect objects in your own pictures and videos, and draw them.

    Prints what each picture shows, and writes the pictures with boxes and a page to browse them. A picture that
    cannot be read is reported and skipped; the exit code is then 2.
    """
    from experiments.framework.detectors import load
    from pipeline.overrides import override
    from ssd_core.detection.limits import DetectionLimits
    from stages.inference.running import Unreadable, detect_in
    from stages.inference.sources import sources

    if as_json and as_csv:
        raise PipelineError("--json and --csv both print to standard output: choose one")
    pictures = sources(images, sys.stdin.buffer, every=every)
    predictor = load(
        weights,
        limits=override(DetectionLimits(min_score=min_score), limits or ()),
        device=device,
        batch_size=batch,
        store=place.store,
        choices=foreign.choices(),
    )
    silent = as_json or as_csv
    folder: ResultFolder | None = None
    if out is not None or labels or crops or not silent:
        folder = _folder(out or FOLDER, weights, predictor, labels, crops)
    unreadable = Unreadable()
    progress = _progress(pictures) if silent or not sys.stdout.isatty() else None
    found = _watched(detect_in(predictor, pictures, unreadable), unreadable, folder, progress)
    if as_json:
        _print_json(found, predictor, unreadable)
    elif as_csv:
        _print_csv(found)
    else:
        _print_text(found, predictor)
    if folder:
        print(f"page: {folder.finish(unreadable)}", file=sys.stderr if silent else sys.stdout)
    if unreadable:
        count = "1 picture" if len(unreadable) == 1 else f"{len(unreadable):,} pictures"
        raise PipelineError(f"{count} could not be read, as listed above; the others are complete")


def _folder(place: Path, weights: str, predictor: Predictor, labels: LabelFormat | None, crops: bool) -> ResultFolder:
    from stages.inference.result_folder import ResultFolder

    title = f"Detections of {weights} above {predictor.limits.min_score:g}"
    return ResultFolder(folder=place, title=title, classes=predictor.classes, labels=labels, crops=crops)


def _progress(pictures: Iterable[Source]) -> Callable[[int], None]:
    """Reports the number of pictures done."""
    from experiments.cli.data.get import Progress

    report, total = Progress(), len(pictures) if isinstance(pictures, list) else None
    return lambda done: report("detect", done, total)


def _watched(
    found: Iterable[tuple[Source, ImageDetections]],
    unreadable: Unreadable,
    folder: ResultFolder | None,
    progress: Callable[[int], None] | None,
) -> Iterator[ImageDetections]:
    """The results, each written to the folder as it comes; broken pictures are named as they are met."""
    named = 0
    for number, (source, each) in enumerate(found, start=1):
        named = _name_broken(unreadable, named)
        if folder:
            folder.add(source.place, each)
        if progress:
            progress(number)
        yield each
    _name_broken(unreadable, named)


def _name_broken(unreadable: Unreadable, named: int) -> int:
    """Print those after the first `named`, and return the number printed so far."""
    for name, reason in list(unreadable.items())[named:]:
        print(f"cannot be read: {name}: {reason}", file=sys.stderr)
    return len(unreadable)


def _print_text(found: Iterable[ImageDetections], predictor: Predictor) -> None:
    """A line for each picture: how many objects of which class."""
    from experiments.cli.shared.printing import wrapped

    total = 0
    for each in found:
        counts = Counter(each.names).most_common()
        total += len(each)
        print(wrapped(", ".join(f"{count} {name}" for name, count in counts) or "nothing", f"{each.name}: "))
    if not total:
        print(f"no score is above {predictor.limits.min_score:g}: try a lower --min-score")


def _print_json(found: Iterable[ImageDetections], predictor: Predictor, unreadable: Unreadable) -> None:
    images = [each.to_dict() for each in found]
    broken = [{"image": name, "reason": reason} for name, reason in unreadable.items()]
    print(json.dumps({"classes": predictor.classes, "images": images, "unreadable": broken}, indent=1))


def _print_csv(found: Iterable[ImageDetections]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for each in found:
        writer.writerows((each.name, item.name, item.score, *item.box_xyxy) for item in each)
