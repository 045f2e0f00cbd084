"""Training images of a weights file, which are known while it lies in the store that produced it.

Tested in tests/experiments/cli/test_trained_images.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.folder import Folder
from pipeline.store.store import Manifest, Store
from stages.shards.image_list import ImageList
from stages.shards.overlap import sharded_images


def trained_images(folder: Folder) -> tuple[ImageList, ...]:
    """Image lists of all shards behind the result in a store that a folder belongs to; empty for any other folder."""
    place, mark, parameters = folder.uri.partition("?" if "://" in folder.uri else "\0")
    above, _, below = place.rpartition("/objects/")
    store = Folder(f"{above}{mark}{parameters}")
    if not (above and store.is_file("format.json")):
        return ()
    opened = Store.open(store.uri)
    made = opened.find(below.partition("/")[0])
    return tuple(_behind(made, opened)) if made else ()


def _behind(made: Manifest, store: Store) -> Iterator[ImageList]:
    for held in made.inputs.values():
        if (manifest := store.find(held["key"])) is None:
            continue
        images = sharded_images(store.output(manifest), name=manifest.address, place=store.folder.uri)
        if images.files():
            yield images
        else:
            yield from _behind(manifest, store)
