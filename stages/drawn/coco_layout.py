"""Drawn images in the layout of COCO 2017: <split>/<id>.jpg and annotations/instances_<split>.json.

A COCO box is (x, y, width, height) from 0, its area the number of visible pixels of the object.

Tested in tests/stages/drawn/test_draw.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.folder import Folder
from pipeline.zipped import FilesInMemory
from stages.drawn.scene import DrawnObject, Scene
from stages.drawn.vocabulary import Vocabulary

ANNOTATIONS_PER_IMAGE = 100
"""Annotation ids of an image count from its id times this; a scene always has fewer objects."""

Image = dict[str, Any]


def write_image(folder: Folder | FilesInMemory, split: str, image_id: int, jpeg: bytes, scene: Scene) -> Image:
    """Write an image; return its entry, with the objects of the scene under `objects`."""
    name = f"{image_id:012d}.jpg"
    folder.write_bytes(f"{split}/{name}", jpeg)
    height, width, _ = scene.image.shape
    return {"id": image_id, "file_name": name, "width": width, "height": height, "objects": scene.objects}


def write_lists(folder: Folder | FilesInMemory, images: Mapping[str, Sequence[Image]], vocabulary: Vocabulary) -> None:
    """Write the annotation file of each split that has images."""
    for split, listed in images.items():
        if listed:
            content = json.dumps(instances(listed, vocabulary), separators=(",", ":"))
            folder.write_bytes(f"annotations/instances_{split}.json", content.encode())


def instances(images: Sequence[Image], vocabulary: Vocabulary) -> dict[str, Any]:
    """Content of an annotation file."""
    numbers = {item.name: item.category for item in vocabulary.classes}
    above = {name: group for group, names in vocabulary.groups for name in names}
    return {
        "info": {"description": "drawn"},
        "images": [{name: value for name, value in image.items() if name != "objects"} for image in images],
        "annotations": [
            {
                "id": image["id"] * ANNOTATIONS_PER_IMAGE + place,
                "image_id": image["id"],
                "category_id": numbers[item.name],
                "iscrowd": int(item.crowd),
                "area": item.area,
                "bbox": bbox(item),
            }
            for image in images
            for place, item in enumerate(image["objects"])
        ],
        "categories": [
            {"id": item.category, "name": item.name, "supercategory": above[item.name]} for item in vocabulary.classes
        ],
    }


def bbox(item: DrawnObject) -> list[int]:
    """Convert 1-based inclusive corners to x, y, width, height from 0."""
    xmin, ymin, xmax, ymax = item.box_xyxy
    return [xmin - 1, ymin - 1, xmax - xmin + 1, ymax - ymin + 1]
