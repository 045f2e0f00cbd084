"""`ssdpipe evaluate`: score a weights file, or detections that another program wrote."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from experiments.cli.requests import EvaluateRequest, OwnProtocolOption, ProtocolName
from experiments.cli.shared.detection_files import (
    AnnotationsOption,
    CornersOption,
    DetectionsArgument,
    SplitOption,
    read_any,
    refuse_unused,
)
from experiments.cli.shared.options import RunOptions, expanded
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from pipeline.execution.outcome import Result
    from pipeline.planning.graph import Graph
    from pipeline.store.store import Manifest, Store
    from stages.evaluation.voc_truth import Files

app = typer.Typer(help="Score weights or detection files.")

JsonOption = Annotated[bool, typer.Option("--json", help="Print fractions as JSON instead of a table in percent.")]


@app.command()
@expanded
def weights(request: EvaluateRequest, running: RunOptions, as_json: JsonOption = False) -> None:
    """Score a weights file on a split of a data set."""
    from experiments.cli.requests.running import run_request

    graph, store, result = run_request(request, running)
    print_summary(store, result.outcomes[graph.targets[0]].manifest, request.protocol, as_json)
    if not as_json:
        print_pictures(graph, store, result)


@app.command()
def detections(
    files: DetectionsArgument,
    annotations: AnnotationsOption,
    split: SplitOption = "",
    protocol: OwnProtocolOption = None,
    iou: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Minimum IoU of a correct detection; 0.5 by default. Not for coco."),
    ] = None,
    corners: CornersOption = False,
    as_json: JsonOption = False,
) -> None:
    """Score any program's detection files.

    Against VOC, COCO or CSV annotations, or text files per image; the files show which. By default, COCO's files are
    scored by the protocol coco, with --iou by voc12, and all others by voc07. Needs neither images nor a store nor Ray.
    """
    from stages.evaluation.files.any_files import is_coco

    both_json = is_coco(files, annotations)
    refuse_unused(files, annotations, split, corners)
    own: ProtocolName = "voc07" if not both_json else "coco" if iou is None else "voc12"
    chosen = protocol or own
    if chosen == "coco":
        _refuse_for_coco(files, iou, both_json)
        numbers, notes = _coco_scores(files, annotations)
    else:
        numbers, notes = _voc_scores(read_any(files, annotations, split, corners), chosen, 0.5 if iou is None else iou)
    for note in notes:
        typer.echo(f"note: {note}", err=True)
    _print_numbers(numbers, chosen, as_json, iou)


def _refuse_for_coco(files: Path, iou: float | None, both_json: bool) -> None:
    if iou is not None:
        raise PipelineError(
            "--protocol coco averages over the IoU thresholds 0.50 to 0.95: leave out --iou, or choose "
            "--protocol voc12 for the average precision at one threshold"
        )
    if not both_json:
        raise PipelineError(
            f"{files} is {'a folder' if files.is_dir() else 'no JSON file'}, but --protocol coco reads detections and "
            "annotations from one JSON file each: name these, or choose voc07, voc12 or ilsvrc"
        )


def print_summary(
    store: Store, manifest: Manifest | None, protocol: ProtocolName | None = None, as_json: bool = False
) -> None:
    """Print the numbers of a finished evaluation, by its own protocol unless another is given."""
    from pipeline.store.record import read_summary

    assert manifest is not None, "its graph ran successfully"
    numbers = read_summary(store.output(manifest))
    prefixes = {name.partition("/")[0] for name in numbers}
    available: list[ProtocolName] = [name for name in get_args(ProtocolName) if name in prefixes]
    _print_numbers(numbers, protocol or available[0], as_json)


def print_pictures(graph: Graph, store: Store, result: Result) -> None:
    """Print the places of the pictures of right and wrong detections."""
    from stages.analysis.draw_detections import DrawDetections

    for node in graph.nodes.values():
        if isinstance(node.stage, DrawDetections) and (manifest := result.outcomes[node.id].manifest):
            print(f"pictures: {store.output(manifest).place()}")


def _voc_scores(files: Files, protocol: ProtocolName, iou: float) -> tuple[Mapping[str, float], Iterable[str]]:
    from ssd_core.metrics.voc_ap import ILSVRC_TOLERANCE
    from stages.evaluation.voc_detections import score
    from stages.evaluation.voc_evaluation import summarise, summarise_ilsvrc

    ilsvrc = protocol == "ilsvrc"
    scores = score(files, iou_threshold=iou, pixel_tolerance=ILSVRC_TOLERANCE if ilsvrc else 0.0)
    results, classes = list(scores.results.values()), list(scores.results)
    return (summarise_ilsvrc if ilsvrc else summarise)(results, classes), scores.notes


def _coco_scores(file: Path, annotations: str) -> tuple[Mapping[str, float], Iterable[str]]:
    from stages.evaluation.coco_evaluation import summarise
    from stages.evaluation.coco_results import score_result_file

    scores = score_result_file(file, Path(annotations))
    return summarise(scores.result, scores.classes), scores.notes


def _print_numbers(
    summary: Mapping[str, float], protocol: ProtocolName, as_json: bool, iou: float | None = None
) -> None:
    """Print the average precision of each class and the overall metrics: fractions as JSON, or percent as a table.

    `iou` is stated where the user chose it.
    """
    from experiments.cli.shared.printing import columns, percent

    prefix = f"{protocol}/"
    metrics = {name.removeprefix(prefix): value for name, value in summary.items() if name.startswith(prefix)}
    classes = {name.removeprefix("AP/"): value for name, value in metrics.items() if name.startswith("AP/")}
    if not classes:
        raise PipelineError("nothing to score: no class has an object that counts")
    overall = {name: metrics.get(name) for name in _overall(protocol)}
    if as_json:
        chosen = {} if iou is None else {"iou": iou}
        print(json.dumps({"protocol": protocol, **chosen, **overall, "classes": classes}, indent=1))
        return
    rows = [(name, percent(value)) for name, value in sorted(classes.items())]
    rows += [(name, "-" if value is None else percent(value)) for name, value in overall.items()]
    rule = protocol if iou is None else f"{protocol}, IoU {iou:g}"
    print(columns([("class", f"AP % ({rule})"), *rows]))


def _overall(protocol: ProtocolName) -> tuple[str, ...]:
    """Metrics over all classes; one with no objects to average over is null."""
    from stages.evaluation.coco_ap import NUMBERS

    return NUMBERS if protocol == "coco" else ("mAP",)
