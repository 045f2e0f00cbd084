"""Classes of VOC that the analysis takes as alike, and the groups under which it sums up (setDatasetParameters.m)."""

from __future__ import annotations

from collections.abc import Sequence

Names = tuple[str, ...]
Groups = tuple[tuple[str, Names], ...]

VOC_SIMILAR: tuple[Names, ...] = (
    ("bird", "cat", "cow", "dog", "horse", "person", "sheep"),
    ("aeroplane", "bicycle", "boat", "bus", "car", "motorbike", "train"),
    ("bicycle", "motorbike"),
    ("chair", "diningtable", "sofa"),
    ("aeroplane", "bird"),
)
"""Sets of which any two classes are alike; a class may be in several."""

VOC_GROUPS: Groups = (
    ("animals", ("bird", "cat", "cow", "dog", "horse", "sheep")),
    ("vehicles", ("aeroplane", "bicycle", "boat", "bus", "car", "motorbike", "train")),
    ("furniture", ("chair", "diningtable", "sofa")),
)

VOC_SHOWN: Names = ("aeroplane", "bicycle", "bird", "boat", "cat", "chair", "diningtable")
"""Classes of the paper's Figures 4 and 6."""


def similar_labels(name: str, classes: Sequence[str], similar: Sequence[Names]) -> frozenset[int]:
    """Indices in `classes` of all classes that share a set with `name`, without its own."""
    alike = {other for names in similar if name in names for other in names} - {name}
    return frozenset(label for label, other in enumerate(classes) if other in alike)
