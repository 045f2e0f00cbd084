"""Every value and field of COCO's JSON is read, known to be irrelevant, or reported."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.errors import PipelineError
from stages.datasets.coco.coco_json import CocoFile, parse_coco
from stages.datasets.defects import Kind

BOX = [10, 20, 30.5, 40]
CORNERS = (10.0, 20.0, 40.5, 60.0)


def content(annotations: Any = None, images: Any = None, categories: Any = None, **more: Any) -> dict[str, Any]:
    def entries(listed: Any, **usual: Any) -> list[dict[str, Any]]:
        changes: list[dict[str, Any]] = list(listed or [{}])
        return [usual | change for change in changes]

    return {
        "images": entries(images, id=1, file_name="a.jpg", width=80, height=60),
        "annotations": entries(annotations, id=1, image_id=1, category_id=1, bbox=BOX, area=900, iscrowd=0),
        "categories": entries(categories, id=1, name="cat", supercategory="animal"),
        **more,
    }


def parsed(whole: dict[str, Any], encoding: str = "utf-8") -> CocoFile:
    return parse_coco(json.dumps(whole, ensure_ascii=False).encode(encoding), "a.json")


def defects(file: CocoFile) -> list[Kind]:
    return [kind for kind, _ in file.defects] + [
        note.kind for image in file.images for note in image.annotation.remarks
    ]


@pytest.mark.parametrize(
    ("field", "spelling", "attribute", "value"),
    [
        ("iscrowd", "0", "crowd", False),
        ("iscrowd", 0.0, "crowd", False),
        ("iscrowd", "1", "crowd", True),
        ("iscrowd", True, "crowd", True),
        ("iscrowd", None, "crowd", False),
        ("difficult", "0", "difficult", False),
        ("difficult", 1, "difficult", True),
        ("image_id", 1.0, "name", "cat"),
        ("image_id", "1", "name", "cat"),
        ("category_id", 1.0, "name", "cat"),
        ("category_id", "1", "name", "cat"),
        ("category_id", None, "name", ""),
        ("bbox", ["10", "20", "30.5", " 40"], "box_xyxy", CORNERS),
        ("bbox", [10, 20, 30.5], "box_xyxy", None),
        ("bbox", [10, 20, 30.5, None], "box_xyxy", None),
        ("bbox", [10, 20, 30.5, True], "box_xyxy", None),
        ("bbox", [10, 20, 30.5, float("nan")], "box_xyxy", None),
        ("bbox", [10, 20, 30.5, 10**400], "box_xyxy", None),
        ("bbox", [1.7e308, 20, 1.7e308, 40], "box_xyxy", None),
        ("bbox", {"x": 10}, "box_xyxy", None),
        ("bbox", None, "box_xyxy", None),
        ("bbox", [40.5, 20, -30.5, 40], "box_xyxy", (40.5, 20, 10, 60)),
        ("area", "900", "area", 900),
        ("area", None, "area", None),
        ("area", 0, "area", 0),
        ("id", "11", "annotation_id", 11),
        ("id", 11.0, "annotation_id", 11),
        ("id", None, "annotation_id", None),
        ("id", "a-b", "annotation_id", None),
        ("id", 2**63, "annotation_id", None),
    ],
)
def test_a_value_has_one_meaning_however_it_is_spelled(field: str, spelling: Any, attribute: str, value: Any) -> None:
    found = parsed(content(({field: spelling},)))
    (item,) = found.images[0].annotation.objects
    assert getattr(item, attribute) == value
    assert (found.orphans, defects(found)) == ((), [])


@pytest.mark.parametrize("spelling", [1, 1.0, "1", " 1 "])
def test_ids_of_images_and_categories_are_compared_as_numbers(spelling: Any) -> None:
    found = parsed(content(images=({"id": spelling},), categories=({"id": spelling},)))
    (image,) = found.images
    assert (image.image_id, [item.name for item in image.annotation.objects]) == ("1", ["cat"])
    assert image.string_id == isinstance(spelling, str)


@pytest.mark.parametrize("name", ["", "  ", None])
def test_a_category_without_a_name_leaves_its_objects_without_a_class(name: Any) -> None:
    found = parsed(content(categories=({"name": name},)))
    assert [item.name for item in found.images[0].annotation.objects] == [""]


@pytest.mark.parametrize(
    ("whole", "kind", "detail"),
    [
        (content(({"iscrowd": "perhaps"},)), Kind.UNREADABLE_FLAG, "annotations[0]: iscrowd is 'perhaps'"),
        (content(({"difficult": 2},)), Kind.UNREADABLE_FLAG, "annotations[0]: difficult is 2"),
        (content(({"area": -3},)), Kind.WRONG_AREA, "annotations[0]: area is -3, which is negative"),
        (content(({"area": float("nan")},)), Kind.WRONG_AREA, "annotations[0]: area is nan"),
        (content(({"area": "large"},)), Kind.WRONG_AREA, "annotations[0]: area is 'large', not a number"),
        (content(({}, {})), Kind.REPEATED_ID, "1 annotations have the id of an earlier one, first 1"),
        (content(({}, {"id": 2, "score": 1})), Kind.UNREAD, "annotations: field 'score', 1 times, first in annot"),
        (content(images=({"mask": "a.png"},)), Kind.UNREAD, "images: field 'mask', 1 times, first in images[0]"),
        (content(categories=({"alias": "x"},)), Kind.UNREAD, "categories: field 'alias', 1 times"),
        (content(videos=[]), Kind.UNREAD, "the file: field 'videos', 1 times"),
        (content(categories=({}, {"id": 2})), Kind.ALIKE_CLASSES, "categories 1, 2 are all named 'cat'"),
        (content(categories=({}, {})), Kind.ALIKE_CLASSES, "category 1, 'cat', is listed twice"),
    ],
)
def test_what_is_odd_is_reported_with_its_place(whole: dict[str, Any], kind: Kind, detail: str) -> None:
    found = parsed(whole)
    assert defects(found) == [kind]
    details = [text for _, text in found.defects] + [note.detail for note in found.images[0].annotation.remarks]
    assert details[0].startswith(detail)
    assert len(found.images[0].annotation.objects) == len(whole["annotations"])


def test_fields_of_coco_that_concern_neither_class_nor_box_are_not_reported() -> None:
    outline = {"segmentation": [[1, 2, 3, 4]], "keypoints": [], "num_keypoints": 0}
    image = {"license": 1, "flickr_url": "x", "coco_url": "x", "date_captured": "x"}
    assert defects(parsed(content((outline,), (image,), info={}, licenses=[]))) == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32-be"])
def test_every_encoding_of_json_is_read(encoding: str) -> None:
    found = parsed(content(categories=({"name": "Käse"},)), encoding)
    assert found.images[0].annotation.objects[0].name == "Käse"


def test_annotations_may_be_absent_or_null() -> None:
    for absent in ({"annotations": None}, {"annotations": None, "categories": None}):
        assert parsed(content() | absent).images[0].annotation.objects == ()


def test_an_annotation_without_an_image_is_counted() -> None:
    assert parsed(content(({"image_id": None}, {"image_id": 7, "id": 2}))).orphans == (("", 1), ("7", 1))


def test_a_name_with_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(PipelineError, match=r"a\.json: images\[0\]: file_name is .* surrogate"):
        parse_coco(json.dumps(content(images=({"file_name": "\ud800.jpg"},))).encode(), "a.json")
