"""Write the layout of COCO: a JSON file for each split, and all images in one folder.

Ids of a COCO data set are kept; others are numbers from 1. Difficult objects keep their flag in the field `difficult`,
which ssdpipe reads and COCO's own tools ignore.

Tested in tests/stages/conversion/test_convert.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ssd_core.data.shards import Row
from stages.conversion.layout_writer import LayoutWriter, Target


@dataclass(kw_only=True)
class _Split:
    images: list[dict[str, Any]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)


@dataclass(kw_only=True)
class CocoWriter(LayoutWriter):
    """Writes annotations/instances_<split>.json and images."""

    category_ids: Mapping[str, int]
    _splits: dict[str, _Split] = field(default_factory=dict)

    def add(self, target: Target, row: Row) -> None:
        self.images += 1
        self.boxes += len(row.labels)
        self.write(f"images/{target.file}", row.image)
        image_id = int(row.image_id) if self.has_stated_areas and row.image_id.isdecimal() else self.images
        image = {"id": image_id, "file_name": target.file, "width": row.width, "height": row.height}
        objects = [self._object(row, number, image_id) for number in range(len(row.labels))]
        for split in target.splits:
            content = self._splits.setdefault(split, _Split())
            content.images.append(image)
            content.annotations += (dict(item) for item in objects)
        self.losses.add(
            "difficult objects, in a field that COCO's own tools ignore", target.place, int(row.difficult.sum())
        )

    def finish(self) -> None:
        categories = [{"id": number, "name": name} for name, number in self.category_ids.items()]
        for split in self.splits:
            content = self._splits.get(split, _Split())
            _number(content.annotations)
            whole = {"images": content.images, "annotations": content.annotations, "categories": categories}
            self.write(f"annotations/instances_{split}.json", json.dumps(whole))

    def _object(self, row: Row, number: int, image_id: int) -> dict[str, Any]:
        xmin, ymin, xmax, ymax = (round(float(side), 4) for side in row.boxes_xyxy[number])
        width, height = round(xmax - xmin, 4), round(ymax - ymin, 4)
        item = {
            "id": int(row.annotation_ids[number]),
            "image_id": image_id,
            "category_id": self.category_ids[self.classes[int(row.labels[number])]],
            "bbox": [xmin, ymin, width, height],
            "area": float(row.area[number]) if self.has_stated_areas else width * height,
            "iscrowd": int(row.crowd[number]),
        }
        return item | ({"difficult": 1} if row.difficult[number] else {})


def _number(annotations: Sequence[dict[str, Any]]) -> None:
    """Number the annotations from 1, unless their ids are positive and differ."""
    ids = {item["id"] for item in annotations}
    if len(ids) < len(annotations) or 0 in ids:
        for place, item in enumerate(annotations, start=1):
            item["id"] = place
