"""Training images of a weights file, which are known while it lies in the store that produced it.

Tested in tests/experiments/cli/test_trained_images.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.store.store import Manifest, Store
from stages.shards.image_list import ImageList
from stages.shards.overlap import sharded_images


def trained_images(file: Path) -> tuple[ImageList, ...]:
    """Image lists of all shards behind a result in a store; empty for a file from elsewhere."""
    for folder in file.parents:
        if folder.parent.name == "objects" and (folder.parent.parent / "format.json").is_file():
            store = Store.open(str(folder.parent.parent))
            made = store.find(folder.name)
            return tuple(_behind(made, store)) if made else ()
    return ()


def _behind(made: Manifest, store: Store) -> Iterator[ImageList]:
    for held in made.inputs.values():
        if (manifest := store.find(held["key"])) is None:
            continue
        images = sharded_images(store.output(manifest), name=manifest.address, place=store.folder.uri)
        if images.files():
            yield images
        else:
            yield from _behind(manifest, store)
