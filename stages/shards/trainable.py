"""Refuse a training whose images have no object to train on: from the annotations, and again from finished shards.

Tested in tests/experiments/cli/requests/test_training.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import PipelineError
from stages.shards.image_list import ListsImages

if TYPE_CHECKING:
    from ssd_core.data.shards import ShardSet

COUNTS = ("objects", "difficult", "crowd")


def refuse_without_objects(shards: ListsImages, *, difficult: bool) -> None:
    """Raises PipelineError when the annotations hold no object to train on; crowds and excluded ones do not count."""
    if (counts := shards.objects_to_train(difficult=difficult)) and counts[1] == 0:
        names = " and ".join(f"{images.name} ({images.place})" for images in shards.listed_images())
        raise nothing_to_train(names, counts[0], difficult=difficult)


def require_objects(shards: ShardSet, *, difficult: bool) -> None:
    """Raises PipelineError when finished shards hold no object to train on: none may have had a usable box."""
    total = {kind: sum(counts[kind] for counts in shards.manifest["per_class"].values()) for kind in COUNTS}
    if not total["objects"] or total["objects"] == total["crowd"] + (0 if difficult else total["difficult"]):
        raise nothing_to_train(f"the set of shards {shards.path}", len(shards), difficult=difficult)


def nothing_to_train(name: str, images: int, *, difficult: bool) -> PipelineError:
    """The error to raise for images without an object to train on."""
    excluded = (
        "crowds do not count" if difficult else "crowds and, without train_difficult, difficult ones do not count"
    )
    return PipelineError(
        f"{name} has {images} images and no object to train on in any of them ({excluded}): annotate objects, or name "
        "another split with --train-split"
    )
