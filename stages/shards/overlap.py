"""No image is both trained on and scored: one image is recognised under the names that data sets give it.

VOC2012's 2007_000027 is VOC2007's 000027, and 07++12 trains on VOC2007's test images. A COCO image keeps its number in
2014 (COCO_val2014_000000000042), in 2017 (000000000042), in trainval35k and in minival.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.stage import Stage

EXAMPLES = 3


@dataclass(frozen=True, kw_only=True)
class ImageList:
    """Images that are known before anything is computed."""

    name: str
    """Data set and split."""

    place: str = ""
    """Where they lie."""

    identities: frozenset[str] = frozenset()
    """Empty where they are not known before the stage has run."""


class ListsImages(Stage):
    """A stage whose images can be listed before it has run."""

    @abstractmethod
    def listed_images(self) -> tuple[ImageList, ...]:
        """One list for each data set and split."""


@lru_cache(maxsize=64)
def identities(source: str, image_ids: tuple[str, ...]) -> frozenset[str]:
    return frozenset(identity(source, image_id) for image_id in image_ids)


def identity(source: str, image_id: str) -> str:
    """Equal for two names of one image; sets are recognised by their names, such as voc2007, VOC2012, coco-minival."""
    if re.match("voc", source, re.IGNORECASE):
        return f"voc {image_id}" if re.match(r"\d{4}_", image_id) else f"voc 2007_{image_id}"
    if re.match("coco", source, re.IGNORECASE) and (number := re.search(r"(\d+)$", image_id)):
        return f"coco {int(number[1])}"
    return f"{source} {image_id}"


def refuse_shared_lists(scored: Stage, trained: Iterable[Stage], remedy: str) -> None:
    """PipelineError when images are both scored and trained on, as far as the lists tell; opens no image."""
    if not isinstance(scored, ListsImages):
        return
    for stage in trained:
        if isinstance(stage, ListsImages):
            for test, train in product(scored.listed_images(), stage.listed_images()):
                shared = test.identities & train.identities
                if shared or test.name == train.name:
                    raise _refusal(test, train, shared, remedy)


def refuse_shared_shards(scored: Folder, trained: Iterable[Folder], remedy: str) -> None:
    """PipelineError when images are in finished shards of both kinds, whatever the shards were made from."""
    tested = shard_identities(scored)
    for folder in trained:
        if shared := tested & shard_identities(folder):
            raise _refusal(ImageList(name="the test set"), ImageList(name="the training set"), shared, remedy)


def shard_identities(folder: Folder) -> frozenset[str]:
    """Images of finished shards; none of another result, such as that of a file of weights."""
    from ssd_core.data.shards import MANIFEST, ShardSet

    if not folder.exists(MANIFEST):
        return frozenset()
    rows = ShardSet(folder.path, folder.filesystem).image_ids()
    return frozenset(identity(source, image_id) for source, image_id in rows)


def _refusal(test: ImageList, train: ImageList, shared: Iterable[str], remedy: str) -> PipelineError:
    names = sorted(name.partition(" ")[2] for name in shared)
    examples = ", ".join(names[:EXAMPLES]) + (" ..." if len(names) > EXAMPLES else "")
    images = f"{len(names)} image{'' if len(names) == 1 else 's'} ({examples})" if names else "its images"
    place = f" ({test.place})" if test.place else ""
    return PipelineError(f"{test.name} shares {images} with {train.name}, which is trained on{place}.\n{remedy}")
