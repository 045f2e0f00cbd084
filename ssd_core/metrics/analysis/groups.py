"""Sets of similar classes, and the groups of classes over which the analysis aggregates.

For VOC they are the tool's (setDatasetParameters.m). It does not cover COCO, where the classes of a supercategory count
as similar.
"""

from __future__ import annotations

from collections.abc import Sequence

from ssd_core.spec.vocabularies import COCO_CATEGORIES

Names = tuple[str, ...]
Groups = tuple[tuple[str, Names], ...]

VOC_SIMILAR: tuple[Names, ...] = (
    ("bird", "cat", "cow", "dog", "horse", "person", "sheep"),
    ("aeroplane", "bicycle", "boat", "bus", "car", "motorbike", "train"),
    ("bicycle", "motorbike"),
    ("chair", "diningtable", "sofa"),
    ("aeroplane", "bird"),
)
"""Sets of mutually similar classes; a class may be in several."""

VOC_GROUPS: Groups = (
    ("animals", ("bird", "cat", "cow", "dog", "horse", "sheep")),
    ("vehicles", ("aeroplane", "bicycle", "boat", "bus", "car", "motorbike", "train")),
    ("furniture", ("chair", "diningtable", "sofa")),
)

VOC_SHOWN: Names = ("aeroplane", "bicycle", "bird", "boat", "cat", "chair", "diningtable")
"""Classes shown in the paper's Figures 4 and 6."""

_FIRST_IDS = {
    "person": 1, "vehicle": 2, "outdoor": 10, "animal": 16, "accessory": 27, "sports": 34, "kitchen": 44, "food": 52,
    "furniture": 62, "electronic": 72, "appliance": 78, "indoor": 84,
}  # fmt: skip
"""COCO's supercategories and their first category ids."""


def coco_supercategories() -> Groups:
    """Return each COCO supercategory with its classes."""
    ends = [*_FIRST_IDS.values(), 91][1:]
    return tuple(
        (name, tuple(COCO_CATEGORIES[number] for number in range(first, end) if number in COCO_CATEGORIES))
        for (name, first), end in zip(_FIRST_IDS.items(), ends, strict=True)
    )


def similar_labels(name: str, classes: Sequence[str], similar: Sequence[Names]) -> frozenset[int]:
    """Return the indices in `classes` of all other classes that share a set with `name`."""
    alike = {other for names in similar if name in names for other in names} - {name}
    return frozenset(label for label, other in enumerate(classes) if other in alike)
