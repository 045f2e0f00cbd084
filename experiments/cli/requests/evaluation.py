"""A file of weights, scored.

Tested in tests/experiments/framework/test_scoring.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import typer

from experiments.cli.requests.request import AllowOption, Request, StrictOption
from experiments.cli.shared.foreign import ForeignOptions

if TYPE_CHECKING:
    from pipeline.stage import Stage
    from stages.placement import Placement

Numbers = Literal["voc07", "voc12", "ilsvrc", "coco"]
ProtocolOption = Annotated[
    Numbers,
    typer.Option(
        help="voc07: mean over 11 recalls; voc12: area below the curve; ilsvrc: as voc12, but small objects may be "
        "missed by some pixels; coco: the twelve numbers of COCO."
    ),
]


@dataclass(frozen=True, kw_only=True)
class EvaluateRequest(ForeignOptions, Request):
    """`evaluate weights`: a file of weights on a split."""

    command: ClassVar[str] = "evaluate"
    weights: Annotated[str, typer.Argument(metavar="FILE", help="Weights of ssdpipe or of another program.")]
    data: Annotated[str, typer.Option(envvar="SSDPIPE_DATA", metavar="DIR", help="Data set in any layout.")] = ""
    split: Annotated[str, typer.Option(help="List of images in ImageSets/Main.")] = "test"
    strict: StrictOption = False
    allow_trained_images: AllowOption = False
    protocol: ProtocolOption = "voc07"
    limits: Annotated[
        list[str] | None,
        typer.Option("-s", "--set", metavar="FIELD=VALUE", help="Change a limit of the detections, such as clip=true."),
    ] = None

    @property
    def name(self) -> str:
        return "evaluate"

    def placement(self) -> Placement:
        from experiments.cli.shared.placing import place_one

        return place_one(gpus=self.gpus, cpu_workers=1)

    def target(self, placement: Placement) -> Stage:
        from experiments.framework.scoring import weights_on_split
        from pipeline.overrides import override
        from ssd_core.detection.limits import PAPER_LIMITS

        return weights_on_split(
            self.weights,
            root=self.data,
            split=self.split,
            strict=self.strict,
            placement=placement,
            protocol="voc" if self.protocol == "voc07" or self.protocol == "voc12" else self.protocol,
            choices=self.choices(),
            limits=override(PAPER_LIMITS, self.limits or ()),
            allow_trained_images=self.allow_trained_images,
        )
