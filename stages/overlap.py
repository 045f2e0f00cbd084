"""No image is both trained on and scored: the same image is recognised under the names that data sets give it.

VOC2012's 2007_000027 is VOC2007's 000027, and 07++12 trains on VOC2007's test images. A COCO image keeps its number in
2014 (COCO_val2014_000000000042), in 2017 (000000000042) and in trainval35k and minival.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import product

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.stage import Stage
from stages.shard import Shard
from stages.source import Source

REMEDY = "score on other images, or say allow_trained_images=True"


def identity(source: str, image_id: str) -> str:
    """Equal for two names of one image; sets are recognised by their names, such as voc2007, VOC2012, coco-minival."""
    if re.match("voc", source, re.IGNORECASE):
        return f"voc {image_id}" if re.fullmatch(r"\d{4}_.*", image_id) else f"voc 2007_{image_id}"
    if re.match("coco", source, re.IGNORECASE) and (number := re.search(r"(\d+)$", image_id)):
        return f"coco {int(number[1])}"
    return f"{source} {image_id}"


def listed_identities(source: Source) -> set[str]:
    """Those of a split on disk; those of a set that a stage makes are not known before it is made."""
    if source.within:
        return set()
    return {identity(source.name, image_id) for image_id in source.ids(source.located())}


def refuse_shared_lists(scored: Sequence[Source], trained: Sequence[Source], remedy: str = REMEDY) -> None:
    """PipelineError when splits share images, as far as their lists tell; opens no image."""
    for test, train in product(scored, trained):
        shared = listed_identities(test) & listed_identities(train)
        if shared or test == train:
            _refuse(f"{test.name}/{test.split}", shared, f"{train.name}/{train.split}", remedy)


def refuse_shared_shards(scored: Folder, trained: Iterable[Folder]) -> None:
    """The same of finished shards, whatever they were made from."""
    tested = _identities(scored)
    for folder in trained:
        if shared := tested & _identities(folder):
            _refuse("the test shards", shared, "the training shards", REMEDY)


def sources_of(stages: Iterable[Stage]) -> list[Source]:
    """The sources of those stages that are shards."""
    return [source for stage in stages if isinstance(stage, Shard) for source in stage.sources]


def _refuse(scored: str, shared: set[str], trained: str, remedy: str) -> None:
    some = [name.partition(" ")[2] for name in sorted(shared)[:3]]
    told = f" ({', '.join(some)}{' ...' if len(shared) > 3 else ''})" if shared else ""
    raise PipelineError(
        f"{scored} shares {len(shared) or 'all its'} images{told} with {trained}, which is trained on: {remedy}"
    )


def _identities(shards: Folder) -> set[str]:
    from ssd_core.shards import ShardSet

    return {identity(source, image_id) for source, image_id in ShardSet(shards.path, shards.filesystem).image_ids()}
