"""A file of weights on a split of a data set: the graph behind `ssdpipe evaluate weights`."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import PipelineError
from stages.graphs import Evaluation, Placement, Protocol, scored
from stages.initial import WeightsFile
from stages.shard import Shard
from stages.voc import VocFolder


def weights_on_split(
    weights: str, *, root: str, split: str, strict: bool, placement: Placement, protocol: Protocol = "voc"
) -> Evaluation:
    """Detect with the weights on the split, whose classes must be among theirs, and score."""
    file = WeightsFile(path=weights, variant=Path(weights).stem)
    classes = _classes(Path(weights).expanduser())
    name = Path(root).expanduser().resolve().name
    shards = Shard(
        sources=(VocFolder(name=name, root=root, split=split),),
        classes=classes,
        strict=strict,
        variant=f"{name}-{split}",
    )
    return scored(file, test=shards, variant=f"{file.variant}/{shards.variant}", placement=placement, protocol=protocol)


def _classes(weights: Path) -> tuple[str, ...]:
    """The classes that the weights can tell."""
    from ssd_core.weights import load_weights

    if not weights.is_file():
        raise PipelineError(f"there is no weights file {weights}")
    with weights.open("rb") as stream:
        try:
            return load_weights(stream).spec.classes
        except ValueError as error:
            raise PipelineError(f"{weights}: {error}") from error
