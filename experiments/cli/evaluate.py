"""`ssdpipe evaluate`: score a weights file, or detections that another program wrote."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from experiments.cli.requests import EvaluateRequest, ProtocolName, ProtocolOption
from experiments.cli.shared.options import RunOptions, expanded
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from pipeline.execution.outcome import Result
    from pipeline.planning.graph import Graph
    from pipeline.store.store import Manifest, Store

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
    files: Annotated[
        Path,
        typer.Argument(
            metavar="DIR|FILE",
            help="VOC: folder of files <name>_<class>.txt; a line holds id, score and corners. COCO: results JSON.",
        ),
    ],
    annotations: Annotated[
        str,
        typer.Option(
            metavar="VOC_DIR|FILE", help="VOC: folder that contains Annotations and ImageSets. COCO: annotations JSON."
        ),
    ],
    split: Annotated[str, typer.Option(help="VOC: image list in ImageSets/Main.")] = "test",
    protocol: ProtocolOption = "voc07",
    as_json: JsonOption = False,
) -> None:
    """Score any program's detection files.

    Against VOC or COCO annotations; needs neither images nor a store nor Ray.
    """
    _refuse_other_kind(files, annotations, protocol)
    score = _coco_scores if protocol == "coco" else _voc_scores
    numbers, notes = score(files, annotations, split, protocol)
    for note in notes:
        typer.echo(f"note: {note}", err=True)
    _print_numbers(numbers, protocol, as_json)


def _refuse_other_kind(files: Path, annotations: str, protocol: ProtocolName) -> None:
    """Raises PipelineError for a folder where the protocol reads a file, or a file where it reads a folder."""
    for place, content in ((files, "detections"), (Path(annotations), "annotations")):
        if protocol == "coco" and place.is_dir():
            raise PipelineError(
                f"{place} is a folder, but --protocol coco reads {content} from one JSON file: name the file, or "
                "choose voc07, voc12 or ilsvrc"
            )
        if protocol != "coco" and place.is_file():
            raise PipelineError(
                f"{place} is a file, but --protocol {protocol} reads {content} from a folder: name the folder, or add "
                "--protocol coco for COCO's JSON"
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


def _voc_scores(
    folder: Path, annotations: str, split: str, protocol: ProtocolName
) -> tuple[Mapping[str, float], Iterable[str]]:
    from ssd_core.metrics.voc_ap import ILSVRC_TOLERANCE
    from stages.evaluation.voc_detections import score_files
    from stages.evaluation.voc_evaluation import summarise, summarise_ilsvrc

    ilsvrc = protocol == "ilsvrc"
    scores = score_files(folder, annotations, split, pixel_tolerance=ILSVRC_TOLERANCE if ilsvrc else 0.0)
    results, classes = list(scores.results.values()), list(scores.results)
    return (summarise_ilsvrc if ilsvrc else summarise)(results, classes), scores.notes


def _coco_scores(
    file: Path, annotations: str, _split: str, _protocol: ProtocolName
) -> tuple[Mapping[str, float], Iterable[str]]:
    from stages.evaluation.coco_evaluation import summarise
    from stages.evaluation.coco_results import score_result_file

    scores = score_result_file(file, Path(annotations))
    return summarise(scores.result, scores.classes), scores.notes


def _print_numbers(summary: Mapping[str, float], protocol: ProtocolName, as_json: bool) -> None:
    """Print the average precision of each class and the overall metrics: fractions as JSON, or percent as a table."""
    from experiments.cli.shared.printing import columns, percent

    prefix = f"{protocol}/"
    metrics = {name.removeprefix(prefix): value for name, value in summary.items() if name.startswith(prefix)}
    classes = {name.removeprefix("AP/"): value for name, value in metrics.items() if name.startswith("AP/")}
    if not classes:
        raise PipelineError("nothing to score: no class has an object that counts")
    overall = {name: metrics.get(name) for name in _overall(protocol)}
    if as_json:
        print(json.dumps({"protocol": protocol, **overall, "classes": classes}, indent=1))
        return
    rows = [(name, percent(value)) for name, value in sorted(classes.items())]
    rows += [(name, "-" if value is None else percent(value)) for name, value in overall.items()]
    print(columns([("class", f"AP % ({protocol})"), *rows]))


def _overall(protocol: ProtocolName) -> tuple[str, ...]:
    """Metrics over all classes; one with no objects to average over is null."""
    from stages.evaluation.coco_ap import NUMBERS

    return NUMBERS if protocol == "coco" else ("mAP",)
