"""`ssdpipe evaluate`: numbers of a file of weights, or of detections that another program wrote."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from experiments.cli.requests import EvaluateRequest, Numbers, ProtocolOption
from experiments.cli.shared.options import Running, expanded
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from pipeline.store.store import Manifest, Store

app = typer.Typer(help="Score weights, or files of detections.")

JsonOption = Annotated[bool, typer.Option("--json", help="Fractions as JSON instead of a table in percent.")]


@app.command()
@expanded
def weights(request: EvaluateRequest, running: Running, as_json: JsonOption = False) -> None:
    """Detect with a file of weights on a split of a data set, and score."""
    from experiments.cli.requests.running import bring_to_end

    graph, store, result = bring_to_end(request, running)
    print_summary(store, result.outcomes[graph.targets[0]].manifest, request.protocol, as_json)


@app.command()
def detections(
    found: Annotated[
        Path,
        typer.Argument(
            metavar="DIR|FILE",
            help="VOC: folder of files <name>_<class>.txt with id, score and four corners. COCO: JSON of results.",
        ),
    ],
    annotations: Annotated[
        str, typer.Option(metavar="VOC_DIR|FILE", help="VOC: folder with Annotations and ImageSets. COCO: JSON file.")
    ],
    split: Annotated[str, typer.Option(help="VOC: list of images in ImageSets/Main.")] = "test",
    protocol: ProtocolOption = "voc07",
    as_json: JsonOption = False,
) -> None:
    """Score the detections of any program against VOC or COCO annotations; no images, no store, no Ray."""
    score = _coco_scores if protocol == "coco" else _voc_scores
    numbers, notes = score(found, annotations, split, protocol)
    for note in notes:
        typer.echo(f"note: {note}", err=True)
    _print_numbers(numbers, protocol, as_json)


def print_summary(
    store: Store, manifest: Manifest | None, protocol: Numbers | None = None, as_json: bool = False
) -> None:
    """The numbers of an evaluation that has ended; by its own protocol unless one is named."""
    from pipeline.store.record import SUMMARY

    assert manifest is not None, "the run of its graph ended well"
    numbers: Mapping[str, float] = store.output(manifest).read_json(SUMMARY)
    there = {name.partition("/")[0] for name in numbers}
    own: list[Numbers] = [name for name in get_args(Numbers) if name in there]
    _print_numbers(numbers, protocol or own[0], as_json)


def _voc_scores(
    folder: Path, annotations: str, split: str, protocol: Numbers
) -> tuple[Mapping[str, float], Iterable[str]]:
    from ssd_core.metrics.voc_ap import ILSVRC_TOLERANCE
    from stages.evaluation.voc_detections import score_files
    from stages.evaluation.voc_evaluation import summarise, summarise_ilsvrc

    ilsvrc = protocol == "ilsvrc"
    scores = score_files(folder, annotations, split, pixel_tolerance=ILSVRC_TOLERANCE if ilsvrc else 0.0)
    results, classes = list(scores.results.values()), list(scores.results)
    return (summarise_ilsvrc if ilsvrc else summarise)(results, classes), scores.notes


def _coco_scores(
    file: Path, annotations: str, _split: str, _protocol: Numbers
) -> tuple[Mapping[str, float], Iterable[str]]:
    from stages.evaluation.coco_evaluation import summarise
    from stages.evaluation.coco_results import score_result_file

    scores = score_result_file(file, Path(annotations))
    return summarise(scores.result, scores.classes), scores.notes


def _print_numbers(summary: Mapping[str, float], protocol: Numbers, as_json: bool) -> None:
    """The average precision of each class, and the numbers over all of them: JSON of fractions, or percent."""
    from experiments.cli.shared.printing import columns, percent

    start = f"{protocol}/"
    own = {name.removeprefix(start): value for name, value in summary.items() if name.startswith(start)}
    classes = {name.removeprefix("AP/"): value for name, value in own.items() if name.startswith("AP/")}
    if not classes:
        raise PipelineError("no class has an object that counts")
    overall = {name: own.get(name) for name in _overall(protocol)}
    if as_json:
        print(json.dumps({"protocol": protocol, **overall, "classes": classes}, indent=1))
        return
    rows = [(name, percent(value)) for name, value in sorted(classes.items())]
    rows += [(name, "-" if value is None else percent(value)) for name, value in overall.items()]
    print(columns([("class", f"AP % ({protocol})"), *rows]))


def _overall(protocol: Numbers) -> tuple[str, ...]:
    """Numbers over all classes; one without objects to average over is null."""
    from stages.evaluation.coco_ap import NUMBERS

    return NUMBERS if protocol == "coco" else ("mAP",)
