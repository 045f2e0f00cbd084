"""The paper's printed numbers, each transcribed once, accuracies as fractions; one module for each kind of table."""

from experiments.published.ablations import NO_ATROUS_SLOWDOWN, TABLE_2, TABLE_3, TABLE_3_BOXES
from experiments.published.coco import ILSVRC_VAL2, TABLE_5
from experiments.published.figures import FIGURE_3_OBJECTS, FIGURE_4
from experiments.published.summary import (
    ABSTRACT_SSD512,
    FIGURE_2,
    NEW_LAYERS_MILLISECONDS,
    NMS_MILLISECONDS,
    TABLE_6,
    TABLE_7,
    VGG_SHARE_OF_TIME,
)
from experiments.published.voc import TABLE_1, TABLE_4

__all__ = [
    "ABSTRACT_SSD512",
    "FIGURE_2",
    "FIGURE_3_OBJECTS",
    "FIGURE_4",
    "ILSVRC_VAL2",
    "NEW_LAYERS_MILLISECONDS",
    "NMS_MILLISECONDS",
    "NO_ATROUS_SLOWDOWN",
    "TABLE_1",
    "TABLE_2",
    "TABLE_3",
    "TABLE_3_BOXES",
    "TABLE_4",
    "TABLE_5",
    "TABLE_6",
    "TABLE_7",
    "VGG_SHARE_OF_TIME",
]
