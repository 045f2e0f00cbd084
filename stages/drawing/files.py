"""Drawn images as files in VOC layout. An image is a function of the seed, its split and its number alone."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.context import Context
from pipeline.folder import Folder
from stages.drawing.scene import DrawnObject, Scene, draw_scene
from stages.drawn import Draw
from stages.voc import ANNOTATIONS, IMAGES, SPLITS

JPEG_QUALITY = 90
IMAGES_PER_TASK = 100

STREAMS = {"train": 0, "test": 1, "val": 2}
"""Each split has random numbers of its own: a larger split begins with the images of a smaller one."""


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """The task of some images of a split."""

    split: str
    numbers: range
    sides: tuple[int, int]
    seed: int
    folder: Folder


def draw_folder(stage: Draw, ctx: Context) -> None:
    """Write the whole data set."""
    counts = {"train": stage.train, "val": stage.val, "test": stage.test}
    chunks = [
        Chunk(
            split=split,
            numbers=range(start, min(start + IMAGES_PER_TASK, count)),
            sides=stage.sides,
            seed=stage.seed,
            folder=ctx.out,
        )
        for split, count in counts.items()
        for start in range(0, count, IMAGES_PER_TASK)
    ]
    ctx.map(write_chunk, chunks)
    ids = {split: [image_id(split, number) for number in range(count)] for split, count in counts.items()}
    for split, listed in (ids | {"trainval": ids["train"] + ids["val"]}).items():
        if listed:
            ctx.out.write_bytes(f"{SPLITS}/{split}.txt", "".join(f"{name}\n" for name in listed).encode())


def write_chunk(chunk: Chunk) -> int:
    """Draw and write some images with their annotations; returns their number."""
    for number in chunk.numbers:
        name = image_id(chunk.split, number)
        rng = np.random.default_rng([chunk.seed, STREAMS[chunk.split], number])
        height, width = rng.integers(chunk.sides[0], chunk.sides[1] + 1, 2).tolist()
        scene = draw_scene(height, width, rng)
        chunk.folder.write_bytes(f"{IMAGES}/{name}.jpg", _jpeg(scene))
        chunk.folder.write_bytes(f"{ANNOTATIONS}/{name}.xml", annotation_xml(name, scene))
    return len(chunk.numbers)


def image_id(split: str, number: int) -> str:
    return f"{split}_{number:05d}"


def annotation_xml(name: str, scene: Scene) -> bytes:
    """The annotation of one image as VOC writes it."""
    height, width, depth = scene.image.shape
    root = ElementTree.Element("annotation")
    _fill(root, {"folder": "drawn", "filename": f"{name}.jpg"})
    _fill(ElementTree.SubElement(root, "size"), {"width": width, "height": height, "depth": depth})
    for item in scene.objects:
        _fill(ElementTree.SubElement(root, "object"), _object(item))
    ElementTree.indent(root, "\t")
    return bytes(ElementTree.tostring(root))


def _object(item: DrawnObject) -> dict[str, object]:
    return {
        "name": item.name,
        "truncated": int(item.truncated),
        "difficult": int(item.difficult),
        "bndbox": dict(zip(("xmin", "ymin", "xmax", "ymax"), item.box_xyxy, strict=True)),
    }


def _fill(element: ElementTree.Element, values: dict[str, object]) -> None:
    for name, value in values.items():
        child = ElementTree.SubElement(element, name)
        if isinstance(value, dict):
            _fill(child, value)
        else:
            child.text = str(value)


def _jpeg(scene: Scene) -> bytes:
    bgr = np.ascontiguousarray(scene.image[..., ::-1])
    return bytes(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1])
