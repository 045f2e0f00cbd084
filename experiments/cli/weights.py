"""`ssdpipe weights`: files of weights, of other programs and ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from experiments.cli.shared.foreign import ForeignOptions
from experiments.cli.shared.options import expanded

app = typer.Typer(help="Import, look at and change files of weights.")

FileArgument = Annotated[str, typer.Argument(metavar="FILE", show_default=False)]
OutOption = Annotated[
    str, typer.Option("-o", "--output", metavar="FILE", help="Where to write; beside the input's name, here, if not.")
]


@app.command("import")
@expanded
def import_(file: FileArgument, foreign: ForeignOptions, output: OutOption = "") -> None:
    """Write the weights of another program as ours: its detector, preprocessing and default boxes."""
    from experiments.framework.weight_files import imported, summary, write

    weights = imported(file, foreign.choices())
    out = Path(output or f"{Path(file).stem}-imported.pt")
    write(weights, out)
    print(f"{out}: {summary(weights)}")


@app.command()
def vgg16(
    file: Annotated[str, typer.Argument(metavar="FILE", help="torchvision's, reduced, or Caffe's.")] = "",
    full: Annotated[bool, typer.Option("--full", help="fc6 and fc7 whole, for the network without holes.")] = False,
    output: OutOption = "",
) -> None:
    """Write first weights for a training: torchvision's VGG16, or one from a file."""
    from experiments.framework.weight_files import summary, write
    from experiments.framework.weight_files import vgg16 as read_vgg16

    weights = read_vgg16(file, full=full)
    out = Path(output or ("vgg16-full.pt" if full else "vgg16-reduced.pt"))
    write(weights, out)
    print(f"{out}: {summary(weights)}")


@app.command()
@expanded
def show(file: FileArgument, foreign: ForeignOptions) -> None:
    """Show the specification that goes with a file of weights, its checksum, and the shapes of its tensors."""
    from experiments.framework.weight_files import description

    for line in description(file, foreign.choices()):
        print(line)


@app.command()
@expanded
def transfer(
    file: FileArgument,
    foreign: ForeignOptions,
    to: Annotated[Literal["voc"], typer.Option(help="Classes of the result.")] = "voc",
    output: OutOption = "",
) -> None:
    """Keep of a COCO detector what predicts the classes of VOC; its locations and scales stay."""
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
    print(f"{out}: {summary(weights)}")
