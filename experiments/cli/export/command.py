"""`ssdpipe export`: a detector as a file for ONNX Runtime, torch.export or TorchScript."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from experiments.cli.shared.foreign import ForeignOptions
from experiments.cli.shared.options import JsonOption, StorePlace, one_of
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from stages.export.checking import Comparison

Format = Literal["onnx", "torch-export", "torchscript"]
FORMATS: tuple[Format, ...] = ("onnx", "torch-export", "torchscript")


def export(
    weights: Annotated[
        str,
        typer.Argument(
            metavar="WEIGHTS",
            help="A file of ssdpipe or another program, a training in the store such as train/ssd200-narrow, or an "
            "MLflow model such as models:/name/1.",
            show_default=False,
        ),
    ],
    *,
    to: Annotated[
        Format, typer.Option(parser=one_of("format", *FORMATS), metavar="|".join(FORMATS), help="Format of the file.")
    ] = "onnx",
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", metavar="FILE", help="File to write; by default in the current folder, named after WEIGHTS."
        ),
    ] = None,
    raw: Annotated[
        bool,
        typer.Option("--raw/--boxes", help="Output locations and logits, or decoded and suppressed detections."),
    ] = False,
    min_score: Annotated[float, typer.Option(min=0, max=1, help="Lower bound of scores, exclusive.")] = 0.01,
    limits: Annotated[
        list[str] | None,
        typer.Option(
            "-s", "--set", metavar="FIELD=VALUE", help="Change a detection limit, such as per_image=100; repeatable."
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Run the file in its runtime, and compare its detections with ssdpipe's.")
    ] = False,
    data: Annotated[
        str,
        typer.Option(
            envvar="SSDPIPE_DATA", metavar="DIR", help="Annotated images for --check, in any layout; by default drawn."
        ),
    ] = "",
    split: Annotated[str, typer.Option(help="Split of --data; by default one to test on, or the only one.")] = "",
    images: Annotated[int, typer.Option(min=1, help="Number of images for --check.")] = 50,
    foreign: ForeignOptions,
    place: StorePlace,
    as_json: JsonOption = False,
) -> None:
    """Export a detector to ONNX, torch.export or TorchScript.

    The input is a batch of uint8 RGB images at the network's size; channel order, mean and scale are inside.
    """
    from experiments.cli.shared.printing import size, wrapped
    from experiments.framework.detectors import find_weights, require_detector
    from pipeline.overrides import override
    from ssd_core.detection.limits import DetectionLimits
    from stages.export import checking, writing
    from stages.export.runtimes import Exported
    from stages.export.sample import read_sample

    chosen = override(DetectionLimits(min_score=min_score), limits or ())
    content = find_weights(weights, store=place.store, choices=foreign.choices())
    require_detector(content, weights)
    file = out or Path(_stem(weights) + writing.SUFFIXES[to])
    if file.exists():
        raise PipelineError(f"{file} already exists: name another file with -o, or remove it")
    sample = read_sample(data, split, images) if check else None
    writing.export(content, file, to, raw=raw, limits=chosen)
    side, outputs = content.spec.input_size, writing.description(content, raw=raw, limits=chosen)["outputs"]
    if not as_json:
        shapes = f"images uint8 (B, 3, {side}, {side}) -> {', '.join(outputs)}"
        print(wrapped(f"{shapes}; {size(file.stat().st_size)}", f"{file}: "))
    comparison = checking.compare(content, Exported(file, to), chosen, sample) if sample else None
    if as_json:
        about = {"file": str(file), "bytes": file.stat().st_size, "input_size": side, "outputs": list(outputs)}
        print(json.dumps(about | {"check": _document(comparison) if comparison else None}, indent=1))
    elif sample and comparison:
        _print(comparison, sample.title)
    if comparison and not comparison.equal:
        raise PipelineError(
            f"{file} does not detect what ssdpipe does"
            + "".join(f"; another order or number on {name}" for name in comparison.differing[:1])
        )


def _stem(weights: str) -> str:
    """The name of the file without its suffix; an address with dashes in the place of slashes."""
    if Path(weights).expanduser().is_file():
        return Path(weights).stem
    return re.sub(r"[^\w.]+", "-", weights).strip("-")


def _document(found: Comparison) -> dict[str, Any]:
    """Its numbers; those that are undefined are null."""
    values = asdict(found).items()
    return {
        "equal": found.equal,
        **{name: None if isinstance(value, float) and isnan(value) else value for name, value in values},
    }


def _print(found: Comparison, title: str) -> None:
    from experiments.cli.shared.printing import columns

    order = f"{found.same + found.tied} of {found.images} images"
    order += f", {found.tied} of them but for ties" if found.tied else ""
    scores = "-" if isnan(found.own_map) else f"{found.exported_map:.4f}; ssdpipe {found.own_map:.4f}"
    print(
        columns(
            [
                (f"on {title}", ""),
                ("same labels in the same order", order),
                ("largest difference of scores", f"{found.score_difference:.1e}"),
                ("same boxes", f"{found.detections - found.other_boxes:,} of {found.detections:,} detections"),
                ("mAP (voc07)", scores),
                ("ms per image", f"{1000 * found.exported_seconds:.1f}; ssdpipe {1000 * found.own_seconds:.1f}"),
            ]
        )
    )
