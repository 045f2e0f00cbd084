"""Request for a benchmark server's archive, from a weights file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import typer

from experiments.cli.requests.request import AllowOption, Request

if TYPE_CHECKING:
    from pipeline.stage import Stage
    from stages.placement import Placement


@dataclass(frozen=True, kw_only=True)
class SubmissionRequest(Request):
    """`submission`: an archive for a benchmark's server."""

    command: ClassVar[str] = "submission"
    benchmark: Annotated[Literal["voc2012", "coco-testdev"], typer.Argument(help="Benchmark to submit to.")]
    data: Annotated[
        str,
        typer.Option(envvar="SSDPIPE_DATA", metavar="DIR", help="Data set with the images, in VOC or COCO layout."),
    ] = ""
    weights: Annotated[str, typer.Option(metavar="FILE", help="Detect with these weights of ssdpipe.")] = ""
    split: Annotated[str, typer.Option(help="Image list; the official one by default.")] = ""
    proxy: Annotated[
        bool, typer.Option("--proxy", help="Allow images other than the official ones, for a trial run.")
    ] = False
    allow_trained_images: AllowOption = False

    @property
    def name(self) -> str:
        return "submission"

    def placement(self) -> Placement:
        from experiments.cli.shared.placing import place_one

        return place_one(gpus=self.gpus, cpu_workers=1)

    def target(self, placement: Placement) -> Stage:
        from experiments.framework.submitting import submission_of

        return submission_of(
            self.weights,
            self.benchmark,
            root=self.data,
            split=self.split,
            proxy=self.proxy,
            allow_trained_images=self.allow_trained_images,
            placement=placement,
        )
