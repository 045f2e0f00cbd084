"""Drawn images in the layout of PASCAL VOC: Annotations, JPEGImages, ImageSets/Main.

Tested in tests/stages/drawn/test_draw.py.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence

from pipeline.folder import Folder
from pipeline.zipped import FilesInMemory
from stages.datasets.voc_parts import ANNOTATIONS, IMAGES, SPLITS
from stages.drawn.scene import DrawnObject, Scene


def write_image(folder: Folder | FilesInMemory, image_id: str, jpeg: bytes, scene: Scene) -> str:
    """Write an image and its annotation; return its id."""
    folder.write_bytes(f"{IMAGES}/{image_id}.jpg", jpeg)
    folder.write_bytes(f"{ANNOTATIONS}/{image_id}.xml", annotation_xml(image_id, scene))
    return image_id


def write_lists(folder: Folder | FilesInMemory, ids: Mapping[str, Sequence[str]]) -> None:
    """Write the list of each split that has images, and of trainval."""
    splits = {**ids, "trainval": [*ids["train"], *ids["val"]]}
    for split, listed in splits.items():
        if listed:
            folder.write_bytes(f"{SPLITS}/{split}.txt", "".join(f"{name}\n" for name in listed).encode())


def annotation_xml(image_id: str, scene: Scene) -> bytes:
    """Annotation of one image."""
    height, width, depth = scene.image.shape
    root = ElementTree.Element("annotation")
    _fill(root, {"folder": "drawn", "filename": f"{image_id}.jpg"})
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
