"""Score a weights file on a split of a data set: the graph behind `ssdpipe evaluate weights`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.suggestion import suggestion
from ssd_core.detection.limits import PAPER_LIMITS, DetectionLimits
from ssd_core.spec.vocabularies import COCO_TO_VOC, VOC_CLASSES
from ssd_core.weights.layouts.layout import AUTODETECT, ImportChoices
from stages.datasets.find import TRAINING, DataSet, find_data_set
from stages.datasets.holdout import divided
from stages.datasets.source import Source
from stages.evaluation.protocol import Protocol
from stages.graphs import Evaluation, scored
from stages.placement import Placement
from stages.shards.shard import Shard
from stages.shards.splits import require_scorable
from stages.training.initial import WeightsFile

SHOWN = 5
"""Number of unknown classes that a message names."""


def weights_on_split(
    weights: str,
    *,
    root: str,
    split: str = "test",
    holdout: float = 0.0,
    seed: int = 0,
    strict: bool,
    placement: Placement,
    protocol: Protocol = "voc",
    choices: ImportChoices = AUTODETECT,
    limits: DetectionLimits = PAPER_LIMITS,
    allow_trained_images: bool = False,
) -> Evaluation:
    """Detect with weights of any program on a split, whose classes they must know, and score the detections.

    `holdout` scores the images of the split that a training with the same holdout and seed has not seen.

    Raises PipelineError when the split has no object that counts, or one of a class that the weights do not know.
    """
    file = WeightsFile(path=weights, choices=choices, variant=Path(weights).stem)
    data_set = find_data_set(root)
    source = _source(data_set, split, holdout, seed)
    require_scorable(source)
    classes = classes_of(weights, choices)
    _refuse_unknown(weights, classes, source)
    shards = Shard(
        sources=(source,),
        classes=classes,
        strict=strict,
        variant=f"{data_set.name}-{source.split}",
    )
    variant = f"{file.variant}/{shards.variant}"
    return scored(
        file,
        test=shards,
        variant=variant,
        placement=placement,
        protocol=protocol,
        limits=limits,
        allow_trained_images=allow_trained_images,
    )


def _source(data_set: DataSet, split: str, holdout: float, seed: int) -> Source:
    if holdout:
        return divided(data_set.source(split or data_set.default_split(TRAINING)), holdout, seed)[1]
    return data_set.source(split or data_set.default_split(("test",)))


def _refuse_unknown(weights: str, classes: Sequence[str], source: Source) -> None:
    """Raise PipelineError for objects of other classes than the detector's, with what to type for COCO's and VOC's."""
    try:
        counts = source.survey().objects_per_class
    except PipelineError:  # the stage that reads it reports the error
        return
    if not (unknown := [name for name in counts if name not in classes]):
        return
    counted = ", ".join(f"{name!r} ({_objects(counts[name])})" for name in unknown[:SHOWN])
    more = f" and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else ""
    there = suggestion(unknown[0], classes)
    remedy = f"{there}. Correct the annotations, or train a detector of these classes with `ssdpipe train --data`"
    if set(COCO_TO_VOC) <= set(classes) and set(counts) <= set(VOC_CLASSES):
        voc = f"{Path(weights).stem}-voc.pt"
        remedy = (
            "it has COCO's classes and the data VOC's, some of which have another name. Keep the outputs that both "
            f"share by `ssdpipe weights transfer {weights} --to voc -o {voc}`, and evaluate {voc}"
        )
    raise PipelineError(f"{weights} does not detect {counted}{more} of {source.name} {source.split}: {remedy}")


def _objects(count: int) -> str:
    return f"{count:,} object{'' if count == 1 else 's'}"


def classes_of(weights: str | Path, choices: ImportChoices = AUTODETECT) -> tuple[str, ...]:
    """Classes that the weights detect. Raises PipelineError when they are not a detector's."""
    from experiments.framework.weight_files import read_weights

    content = read_weights(str(weights), choices)
    if not content.detects:
        raise PipelineError(f"{weights} holds initial weights for a training (--init), not a detector")
    return content.spec.classes
