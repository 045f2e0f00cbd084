"""Detections as annotations in the layouts of VOC, COCO and YOLO: boxes inside the picture, for programs that label.

Boxes without area inside the picture are left out. Only COCO's file has a place for scores.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from typing import Any

from stages.inference.image_detections import Detection, ImageDetections, category_ids
from stages.inference.label_format import LabelFormat


def label_file(found: ImageDetections, place: str, form: LabelFormat) -> tuple[str, str] | None:
    """Path and text of the file for one picture; None for COCO, which has one for all."""
    match form:
        case "voc":
            return f"Annotations/{place}.xml", voc_xml(found, place)
        case "yolo":
            return f"labels/{place}.txt", yolo_lines(found)
        case "coco":
            return None


def common_file(
    found: Sequence[tuple[str, ImageDetections]], classes: tuple[str, ...], form: LabelFormat
) -> tuple[str, str] | None:
    """Path and text of the file for all pictures, given with their places; None for VOC, which has none."""
    match form:
        case "coco":
            return "annotations.json", json.dumps(coco_annotations(found, classes), indent=1)
        case "yolo":
            return "labels/classes.txt", "".join(f"{name}\n" for name in classes)
        case "voc":
            return None


def voc_xml(found: ImageDetections, place: str) -> str:
    """An annotation of VOC; corners are rounded to pixels."""
    root = ElementTree.Element("annotation")
    ElementTree.SubElement(root, "filename").text = file_name(found, place)
    size = ElementTree.SubElement(root, "size")
    for name, value in (("width", found.width), ("height", found.height), ("depth", 3)):
        ElementTree.SubElement(size, name).text = str(value)
    for item, box in _clipped(found):
        rounded = [round(value) for value in box]
        if rounded[0] < rounded[2] and rounded[1] < rounded[3]:
            part = ElementTree.SubElement(root, "object")
            ElementTree.SubElement(part, "name").text = item.name
            corners = ElementTree.SubElement(part, "bndbox")
            for name, value in zip(("xmin", "ymin", "xmax", "ymax"), rounded, strict=True):
                ElementTree.SubElement(corners, name).text = str(value)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def yolo_lines(found: ImageDetections) -> str:
    """A line for each detection: index of the class, centre and size as fractions of the picture."""
    lines = []
    for item, (left, top, right, bottom) in _clipped(found):
        x, y = (left + right) / 2 / found.width, (top + bottom) / 2 / found.height
        width, height = (right - left) / found.width, (bottom - top) / found.height
        lines.append(f"{found.classes.index(item.name)} {x:.6f} {y:.6f} {width:.6f} {height:.6f}\n")
    return "".join(lines)


def coco_annotations(found: Sequence[tuple[str, ImageDetections]], classes: tuple[str, ...]) -> dict[str, Any]:
    """Images, categories and annotations; each annotation also has the score."""
    ids = dict(zip(classes, category_ids(classes), strict=True))
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, (place, each) in enumerate(found, start=1):
        size = {"width": each.width, "height": each.height}
        images.append({"id": number, "file_name": file_name(each, place), **size})
        for item, (left, top, right, bottom) in _clipped(each):
            box = [left, top, right - left, bottom - top]
            annotation = {"id": len(annotations) + 1, "image_id": number, "category_id": ids[item.name], "bbox": box}
            annotations.append(annotation | {"area": box[2] * box[3], "iscrowd": 0, "score": item.score})
    categories = [{"id": ids[name], "name": name} for name in classes]
    return {"images": images, "categories": categories, "annotations": annotations}


def file_name(found: ImageDetections, place: str) -> str:
    """Name of the picture beside its labels: its place, with the extension that it has."""
    last = found.name.replace("\\", "/").rpartition("/")[2]
    suffix = last.rpartition(".")[2] if "." in last and "#" not in last else "jpg"
    return f"{place}.{suffix}"


def _clipped(found: ImageDetections) -> Iterator[tuple[Detection, list[float]]]:
    """Each detection with its box inside the picture, unless nothing is left of it."""
    ends = (found.width, found.height, found.width, found.height)
    for item in found:
        box = [min(max(value, 0.0), float(end)) for value, end in zip(item.box_xyxy, ends, strict=True)]
        if box[0] < box[2] and box[1] < box[3]:
            yield item, box
