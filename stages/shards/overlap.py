"""Refuse to score images that were trained on: 07++12, for example, trains on VOC2007's test images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from itertools import product

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.stage import Stage
from stages.shards.image_list import DIGESTS, ImageList, ListedFile, ListsImages, published_name

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
    contents = _digests(folder) or [(len(row.image), sha256(row.image).hexdigest()) for row in shards]
    files = tuple(
        ListedFile(image_id, contents[row][0], str(row), image_id, published_name(source, image_id))
        for row, (source, image_id) in enumerate(shards.image_ids())
    )
    return ImageList(name=name, place=place, files=lambda: files, digest=lambda file: contents[int(file.place)][1])


def _digests(folder: Folder) -> list[tuple[int, str]]:
    """Size and digest of each row; empty for shards that a stage of the user's wrote without them."""
    if not folder.exists(DIGESTS):
        return []
    rows = (line.split() for line in folder.read_bytes(DIGESTS).decode().splitlines())
    return [(int(size), digest) for size, digest in rows]


def _refusal(test: ImageList, train: ImageList, shared: Mapping[str, str], remedy: str) -> PipelineError:
    names = [own if own == other else f"{own}, there named {other}" for own, other in sorted(shared.items())]
    examples = "; ".join(names[:EXAMPLES]) + (" ..." if len(names) > EXAMPLES else "")
    images = f"{len(names)} image{'' if len(names) == 1 else 's'} ({examples})" if names else "its images"
    place = f" ({test.place})" if test.place else ""
    return PipelineError(f"{test.name} shares {images} with {train.name}, which is trained on{place}.\n{remedy}")
