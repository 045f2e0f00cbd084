"""`ssdpipe weights`: weights files, of other programs and of this project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from experiments.cli.shared.foreign import ForeignOptions
from experiments.cli.shared.options import JsonOption, expanded

app = typer.Typer(help="Import, inspect and convert weights files.")

FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="Weights file.", show_default=False)]
OutOption = Annotated[
    str,
    typer.Option(
        "-o", "--output", metavar="FILE", help="File to write; by default in the current folder, named after the input."
    ),
]


@app.command("import")
@expanded
def import_(file: FileArgument, foreign: ForeignOptions, output: OutOption = "") -> None:
    """Convert another program's weights to a file of ssdpipe.

    The file includes the detector specification, preprocessing and default boxes.
    """
    from experiments.cli.shared.printing import wrapped
    from experiments.framework.weight_files import imported, summary, write

    weights = imported(file, foreign.choices())
    out = Path(output or f"{Path(file).stem}-imported.pt")
    write(weights, out)
    print(wrapped(summary(weights), f"{out}: "))


@app.command()
def vgg16(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A VGG16: torchvision's, one already reduced, or Caffe's.")
    ] = "",
    full: Annotated[
        bool, typer.Option("--full", help="Keep fc6 and fc7 in full, for the network without atrous convolution.")
    ] = False,
    output: OutOption = "",
) -> None:
    """Write initial weights from torchvision's VGG16 or a file."""
    from experiments.cli.shared.printing import wrapped
    from experiments.framework.weight_files import summary, write
    from experiments.framework.weight_files import vgg16 as read_vgg16

    weights = read_vgg16(file, full=full)
    out = Path(output or ("vgg16-full.pt" if full else "vgg16-reduced.pt"))
    write(weights, out)
    print(wrapped(summary(weights), f"{out}: "))


@app.command()
@expanded
def show(file: FileArgument, foreign: ForeignOptions, *, as_json: JsonOption = False) -> None:
    """Show a weights file: checksum, specification, tensor shapes."""
    from experiments.cli.shared.printing import setting
    from experiments.framework.weight_files import description, document

    if as_json:
        print(json.dumps(document(file, foreign.choices()), indent=1))
        return
    for line in description(file, foreign.choices()):
        name, _, value = line.partition(" = ")
        print(setting(name, value) if value else line)


@app.command()
@expanded
def transfer(
    file: FileArgument,
    foreign: ForeignOptions,
    to: Annotated[Literal["voc"], typer.Option(help="Target classes.")] = "voc",
    output: OutOption = "",
) -> None:
    """Turn a COCO detector into one for VOC's classes.

    Keeps the class outputs that VOC shares, all location outputs, and the scales of the default boxes.
    """
    from experiments.cli.shared.printing import wrapped
    from experiments.framework.weight_files import read_weights, summary, write
    from pipeline.errors import PipelineError
    from ssd_core.spec.vocabularies import COCO_TO_VOC, VOC_CLASSES
    from ssd_core.weights.head_transfer import transferred

    try:
        weights = transferred(read_weights(file, foreign.choices()), VOC_CLASSES, COCO_TO_VOC)
    except ValueError as error:
        raise PipelineError(f"{file}: {error}") from error
    out = Path(output or f"{Path(file).stem}-{to}.pt")
    write(weights, out)
    print(wrapped(summary(weights), f"{out}: "))
