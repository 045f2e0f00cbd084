"""Refuse to score images that were trained on: 07++12, for example, trains on VOC2007's test images."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import product

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.stage import Stage
from stages.shards.image_list import Encoded, ImageList, ListsImages, identity

EXAMPLES = 3


def refuse_shared_lists(scored: Stage, trained: Iterable[Stage], remedy: str) -> None:
    """Raises PipelineError when the lists share images, or a split is both trained on and scored; decodes no image."""
    if not isinstance(scored, ListsImages):
        return
    for stage in trained:
        if isinstance(stage, ListsImages):
            for test, train in product(scored.listed_images(), stage.listed_images()):
                shared = test.shared(train)
                if shared or test.name == train.name:
                    raise _refusal(test, train, shared, remedy)


def refuse_shared_shards(scored: Folder, trained: Iterable[Folder], remedy: str) -> None:
    """Raises PipelineError when finished shards share images, whatever they were made from."""
    test = sharded_images(scored, name="the test set")
    for folder in trained:
        train = sharded_images(folder, name="the training set")
        if shared := test.shared(train):
            raise _refusal(test, train, shared, remedy)


def sharded_images(folder: Folder, *, name: str, place: str = "") -> ImageList:
    """Image list of finished shards; empty for any other result, such as that of a weights file."""
    from ssd_core.data.shards import MANIFEST, ShardSet

    if not folder.exists(MANIFEST):
        return ImageList(name=name, place=place)
    shards = ShardSet(folder.path, folder.filesystem)
    numbers = {identity(source, image_id): number for number, (source, image_id) in enumerate(shards.image_ids())}

    def file(number: int) -> Encoded:
        row = shards.row(number)
        return Encoded(source=row.source, size=len(row.image), read=lambda: row.image)

    def files(wanted: Collection[str]) -> dict[str, Encoded]:
        return {each: file(numbers[each]) for each in sorted(wanted, key=numbers.__getitem__)}

    return ImageList(name=name, place=place, identities=frozenset(numbers), files=files)


def _refusal(test: ImageList, train: ImageList, shared: Iterable[str], remedy: str) -> PipelineError:
    names = sorted(name.partition(" ")[2] for name in shared)
    examples = ", ".join(names[:EXAMPLES]) + (" ..." if len(names) > EXAMPLES else "")
    images = f"{len(names)} image{'' if len(names) == 1 else 's'} ({examples})" if names else "its images"
    place = f" ({test.place})" if test.place else ""
    return PipelineError(f"{test.name} shares {images} with {train.name}, which is trained on{place}.\n{remedy}")
