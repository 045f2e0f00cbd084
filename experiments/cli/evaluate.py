"""`ssdpipe evaluate`: numbers of a file of weights, or of detections that another program wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from experiments.cli.options import Running, expanded
from experiments.cli.requests import EvaluateRequest

if TYPE_CHECKING:
    from pipeline.store import Manifest, Store

app = typer.Typer(help="Score weights, or files of detections.")

Protocol = Literal["voc07", "voc12"]
ProtocolOption = Annotated[Protocol, typer.Option(help="voc07: mean over 11 recalls; voc12: area below the curve.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Fractions as JSON instead of a table in percent.")]


@app.command()
@expanded
def weights(
    request: EvaluateRequest, running: Running, protocol: ProtocolOption = "voc07", as_json: JsonOption = False
) -> None:
    """Detect with a file of weights on a split of a data set, and score."""
    from experiments.cli.running import bring_to_end

    graph, store, result = bring_to_end(request, running)
    print_summary(store, result.outcomes[graph.targets[0]].manifest, protocol, as_json)


@app.command()
def detections(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Files <name>_<class>.txt: id score and four corners.")],
    annotations: Annotated[str, typer.Option(metavar="VOC_DIR", help="Folder with Annotations and ImageSets.")],
    split: Annotated[str, typer.Option(help="List of images in ImageSets/Main.")] = "test",
    protocol: ProtocolOption = "voc07",
    as_json: JsonOption = False,
) -> None:
    """Score detection files against VOC annotations; no images, no store, no Ray."""
    from stages.voc_detections import score_files

    scores = score_files(folder, annotations, split)
    for note in scores.notes:
        typer.echo(f"note: {note}", err=True)
    found = {name: result for name, result in scores.results.items() if result.objects}
    area = protocol == "voc12"
    _print_scores(protocol, {name: item.ap_area if area else item.ap_11point for name, item in found.items()}, as_json)


def print_summary(store: Store, manifest: Manifest | None, protocol: Protocol = "voc07", as_json: bool = False) -> None:
    """The numbers of an evaluation that has ended."""
    from stages.evaluate import SUMMARY

    assert manifest is not None, "the run of its graph ended well"
    start = f"{protocol}/AP/"
    numbers: dict[str, float] = store.output(manifest).read_json(SUMMARY)
    classes = {name.removeprefix(start): value for name, value in numbers.items() if name.startswith(start)}
    _print_scores(protocol, classes, as_json)


def _print_scores(protocol: Protocol, classes: dict[str, float], as_json: bool) -> None:
    """Average precision per class (fractions) and its mean, as JSON or as a table in percent."""
    from experiments.cli.printing import columns, percent

    if not classes:
        raise ValueError("no class has an object that counts")
    mean = sum(classes.values()) / len(classes)
    if as_json:
        print(json.dumps({"protocol": protocol, "mAP": mean, "classes": classes}, indent=1))
        return
    rows = [(name, percent(value)) for name, value in sorted(classes.items())]
    print(columns([("class", f"AP % ({protocol})"), *rows, ("mAP", percent(mean))]))
