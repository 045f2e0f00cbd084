"""Request to score a weights file.

Tested in tests/experiments/framework/test_scoring.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args

import typer

from experiments.cli.requests.request import (
    AllowOption,
    HoldoutOption,
    Request,
    SeedOption,
    StrictOption,
    refuse_lone_seed,
)
from experiments.cli.shared.foreign import ForeignOptions
from experiments.cli.shared.options import one_of

if TYPE_CHECKING:
    from pipeline.stage import Stage
    from stages.graphs import Evaluation
    from stages.placement import Placement

ProtocolName = Literal["voc07", "voc12", "ilsvrc", "coco"]
_PROTOCOL: Any = typer.Option(
    parser=one_of("protocol", *get_args(ProtocolName)),
    metavar="|".join(get_args(ProtocolName)),
    help="voc07: AP at 11 recall levels; voc12: area under the precision-recall curve; ilsvrc: as voc12, with a "
    "lower IoU threshold for small objects; coco: the twelve COCO metrics.",
)
ProtocolOption = Annotated[ProtocolName, _PROTOCOL]
OwnProtocolOption = Annotated[ProtocolName | None, _PROTOCOL]
"""For commands that choose by the files."""


@dataclass(frozen=True, kw_only=True)
class EvaluateRequest(ForeignOptions, Request):
    """`evaluate weights`: a weights file on a split."""

    command: ClassVar[str] = "evaluate"
    weights: Annotated[str, typer.Argument(metavar="FILE", help="Weights of ssdpipe or of another program.")]
    data: Annotated[
        str,
        typer.Option(envvar="SSDPIPE_DATA", metavar="DIR|FILE", help="Data set in any layout, or a CSV or JSON file."),
    ] = ""
    split: Annotated[str, typer.Option(help="Split of the data set; test by default, or the only one.")] = ""
    holdout: HoldoutOption = 0.0
    seed: SeedOption = 0
    strict: StrictOption = False
    allow_trained_images: AllowOption = False
    protocol: ProtocolOption = "voc07"
    limits: Annotated[
        list[str] | None,
        typer.Option(
            "-s", "--set", metavar="FIELD=VALUE", help="Change a detection limit, such as clip=true; repeatable."
        ),
    ] = None

    @property
    def name(self) -> str:
        return "evaluate"

    def placement(self) -> Placement:
        from experiments.cli.shared.placing import place_one

        return place_one(gpus=self.gpus, cpu_workers=1)

    def targets(self, placement: Placement) -> tuple[Stage, ...]:
        from stages.graphs import pictured

        evaluation = self.target(placement)
        return evaluation, pictured(evaluation)

    def target(self, placement: Placement) -> Evaluation:
        from experiments.framework.scoring import weights_on_split
        from pipeline.overrides import override
        from ssd_core.detection.limits import PAPER_LIMITS

        refuse_lone_seed(self.holdout, self.seed)
        return weights_on_split(
            self.weights,
            root=self.data,
            split=self.split,
            holdout=self.holdout,
            seed=self.seed,
            strict=self.strict,
            placement=placement,
            protocol="voc" if self.protocol == "voc07" or self.protocol == "voc12" else self.protocol,
            choices=self.choices(),
            limits=override(PAPER_LIMITS, self.limits or ()),
            allow_trained_images=self.allow_trained_images,
        )
