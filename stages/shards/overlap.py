"""No image is both trained on and scored: one image is recognised under the names that data sets give it.

VOC2012's 2007_000027 is VOC2007's 000027, and 07++12 trains on VOC2007's test images. A COCO image keeps its number in
2014 (COCO_val2014_000000000042), in 2017 (000000000042), in trainval35k and in minival.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from itertools import product

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.stage import Stage

REMEDY = "score on other images, or allow it with allow_trained_images=True"


class ListsImages(Stage):
    """A stage whose images can be told before it has run."""

    @abstractmethod
    def listed_images(self) -> Mapping[str, frozenset[str]]:
        """{data set and split: identities of its images}; an empty set where they are not known before it has run."""


def identity(source: str, image_id: str) -> str:
    """Equal for two names of one image; sets are recognised by their names, such as voc2007, VOC2012, coco-minival."""
    if re.match("voc", source, re.IGNORECASE):
        return f"voc {image_id}" if re.match(r"\d{4}_", image_id) else f"voc 2007_{image_id}"
    if re.match("coco", source, re.IGNORECASE) and (number := re.search(r"(\d+)$", image_id)):
        return f"coco {int(number[1])}"
    return f"{source} {image_id}"


def refuse_shared_lists(scored: Stage, trained: Iterable[Stage], remedy: str = REMEDY) -> None:
    """PipelineError when images are both scored and trained on, as far as the lists tell; opens no image."""
    if not isinstance(scored, ListsImages):
        return
    for stage in trained:
        if isinstance(stage, ListsImages):
            for (test, tested), (train, seen) in product(scored.listed_images().items(), stage.listed_images().items()):
                if test == train or tested & seen:
                    _refuse(test, tested & seen, train, remedy)


def refuse_shared_shards(scored: Folder, trained: Iterable[Folder]) -> None:
    """The same of finished shards, whatever they were made from."""
    tested = _identities(scored)
    for folder in trained:
        if shared := tested & _identities(folder):
            _refuse("the test set", shared, "the training set", REMEDY)


def _refuse(test: str, shared: Iterable[str], train: str, remedy: str) -> None:
    names = sorted(name.partition(" ")[2] for name in shared)
    told = f"{len(names)} images ({', '.join(names[:3])}{' ...' if len(names) > 3 else ''})" if names else "its images"
    raise PipelineError(f"{test} shares {told} with {train}, which is trained on: {remedy}")


def _identities(shards: Folder) -> set[str]:
    from ssd_core.data.shards import ShardSet

    rows = ShardSet(shards.path, shards.filesystem).image_ids()
    return {identity(source, image_id) for source, image_id in rows}
