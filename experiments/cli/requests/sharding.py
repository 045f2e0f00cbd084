"""Request to write a data set as Parquet shards.

Tested in tests/experiments/cli/data/test_shard.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from experiments.cli.requests.request import Request, StrictOption
from experiments.cli.shared.options import LayoutOption, comma_separated
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from pipeline.stage import Stage
    from stages.placement import Placement


@dataclass(frozen=True, kw_only=True)
class ShardRequest(Request):
    """`data shard`: a data set as Parquet shards."""

    command: ClassVar[str] = "shard"
    data: Annotated[str, typer.Argument(metavar="DIR", help="Data set in VOC, COCO, ILSVRC, CSV or YOLO layout.")]
    split: Annotated[str, typer.Option(help="Split to shard; trainval or train by default.")] = ""
    layout: LayoutOption = ""
    classes: Annotated[
        str, typer.Option(help="Class names, comma-separated; by default those of the annotations, sorted.")
    ] = ""
    strict: StrictOption = False

    @property
    def name(self) -> str:
        return "data"

    def placement(self) -> Placement:
        from stages.placement import Placement

        return Placement()

    def target(self, placement: Placement) -> Stage:  # noqa: ARG002 (sharding uses all available CPUs)
        from stages.datasets.find import TRAINING, find_data_set
        from stages.shards.shard import Shard

        data_set = find_data_set(self.data, self.layout)
        split = self.split or data_set.default_split(TRAINING)
        source, classes = data_set.source(split), comma_separated(self.classes)
        if classes and (unknown := [name for name in source.survey().objects_per_class if name not in classes]):
            raise PipelineError(
                f"{data_set.name} {split} has objects of classes that --classes leaves out: "
                f"{', '.join(map(repr, unknown))}. Add them to --classes, or correct the annotations"
            )
        return Shard(
            sources=(source,),
            classes=classes,
            strict=self.strict,
            variant=f"{data_set.name}-{split}",
        )
