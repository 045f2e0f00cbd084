"""Groups and similar classes of the known vocabularies: VOC, COCO, and the drawn images.

Tested in tests/stages/analysis/test_analysis.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ssd_core.metrics.analysis.groups import VOC_GROUPS, VOC_SHOWN, VOC_SIMILAR, Groups, Names, coco_supercategories
from ssd_core.spec.vocabularies import COCO_CLASSES, VOC_CLASSES
from stages.drawn.vocabulary import VOCABULARIES


@dataclass(frozen=True, kw_only=True)
class Grouping:
    """Groups and similar classes of a vocabulary; empty if it is unknown."""

    similar: tuple[Names, ...] = ()
    groups: Groups = ()
    shown: Names = ()
    """Classes for the sensitivity figure."""


def grouping_of(classes: Iterable[str]) -> Grouping:
    """The grouping of the first vocabulary that has all these classes."""
    wanted = set(classes)
    if wanted <= set(VOC_CLASSES):
        return Grouping(similar=VOC_SIMILAR, groups=VOC_GROUPS, shown=VOC_SHOWN)
    if wanted <= set(COCO_CLASSES):
        every = coco_supercategories()
        shown = tuple(group for group in every if group[0] in ("animal", "vehicle", "furniture"))
        return Grouping(similar=tuple(names for _, names in every), groups=shown)
    for vocabulary in VOCABULARIES.values():
        if wanted <= set(vocabulary.names):
            return Grouping(similar=vocabulary.similar, groups=vocabulary.groups)
    return Grouping()
