"""Write drawn images as files. An image depends only on seed, sides, vocabulary, split and number.

Tested in tests/stages/drawn/test_draw.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from pipeline.folder import Folder
from pipeline.stage import Context
from pipeline.zipped import FilesInMemory
from stages.drawn import coco_layout, voc_layout
from stages.drawn.likeness import Likeness
from stages.drawn.scene import Scene, draw_scene
from stages.drawn.vocabulary import VOCABULARIES

JPEG_QUALITY = 90
IMAGES_PER_TASK = 100

STREAMS = {"train": 0, "test": 1, "val": 2}
"""Each split has its own random numbers: a larger split begins with the images of a smaller one."""


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """Settings that all images of a data set share."""

    seed: int
    sides: tuple[int, int]
    vocabulary: Likeness
    layout: Likeness


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """The task that draws a range of images of a split."""

    drawing: Drawing
    split: str
    numbers: range
    folder: Folder | None
    """Where the files are written; None: they are returned."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """The result of a task."""

    entries: list[Any]
    """The entry of each image for the list of its split."""

    files: Mapping[str, bytes]
    """Files that are not yet written, by path."""


def draw_folder(drawing: Drawing, counts: Mapping[str, int], ctx: Context, *, packed: bool) -> None:
    """Write the whole data set, as one archive if `packed`; `counts` holds the number of images by split."""
    folder = None if packed else ctx.out
    chunks = [
        Chunk(drawing=drawing, split=split, numbers=range(start, min(start + IMAGES_PER_TASK, count)), folder=folder)
        for split, count in counts.items()
        for start in range(0, count, IMAGES_PER_TASK)
    ]
    kept = FilesInMemory()
    entries: dict[str, list[Any]] = {split: [] for split in counts}
    for chunk, written in zip(chunks, ctx.map(write_chunk, chunks), strict=True):
        entries[chunk.split] += written.entries
        kept.files.update(written.files)
    if drawing.layout == "coco":
        coco_layout.write_lists(folder or kept, entries, VOCABULARIES[drawing.vocabulary])
    else:
        voc_layout.write_lists(folder or kept, entries)
    if packed:
        kept.write_archive(ctx.out)


def write_chunk(chunk: Chunk) -> Written:
    """Draw the images of a chunk, and write them if it has a folder."""
    drawing = chunk.drawing
    kept, entries = FilesInMemory(), list[Any]()
    folder = chunk.folder or kept
    for number in chunk.numbers:
        rng = np.random.default_rng([drawing.seed, STREAMS[chunk.split], number])
        height, width = rng.integers(drawing.sides[0], drawing.sides[1] + 1, 2).tolist()
        scene = draw_scene(height, width, rng, VOCABULARIES[drawing.vocabulary])
        if drawing.layout == "coco":
            image_id = len(STREAMS) * number + STREAMS[chunk.split] + 1  # unique across splits, with gaps in each
            entries.append(coco_layout.write_image(folder, chunk.split, image_id, _jpeg(scene), scene))
        else:
            entries.append(voc_layout.write_image(folder, f"{chunk.split}_{number:05d}", _jpeg(scene), scene))
    return Written(entries=entries, files=kept.files)


def _jpeg(scene: Scene) -> bytes:
    bgr = np.ascontiguousarray(scene.image[..., ::-1])
    return bytes(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1])
