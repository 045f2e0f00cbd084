"""Numbers printed in Figures 3 to 6."""

from __future__ import annotations

from dataclasses import dataclass

FIGURE_3_OBJECTS = {"animals": 357, "vehicles": 415, "furniture": 400}
"""Unit of the horizontal axis by group: mean number of objects per class in VOC2007 test, rounded."""

Five = tuple[float, float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """Normalised average precision of one class, smallest fifth first.

    The numbers are the text of the figure, five per class; their order within a class is the drawing's, so a single
    number may be off by one position.
    """

    area: Five
    """Extra small, small, medium, large, extra large."""

    aspect: Five
    """Extra tall, tall, medium, wide, extra wide."""


FIGURE_4 = {
    "SSD300": {
        "aeroplane": Sensitivity(area=(0.28, 0.78, 0.84, 0.98, 0.93), aspect=(0.77, 0.73, 0.86, 0.81, 0.90)),
        "bicycle": Sensitivity(area=(0.49, 0.88, 0.88, 0.91, 0.98), aspect=(0.68, 0.87, 0.92, 0.89, 0.76)),
        "bird": Sensitivity(area=(0.17, 0.67, 0.82, 0.92, 0.96), aspect=(0.65, 0.79, 0.78, 0.84, 0.72)),
        "boat": Sensitivity(area=(0.37, 0.64, 0.77, 0.91, 0.94), aspect=(0.71, 0.83, 0.75, 0.73, 0.76)),
        "cat": Sensitivity(area=(0.47, 0.88, 0.95, 0.99, 0.99), aspect=(0.87, 0.88, 0.94, 0.91, 0.87)),
        "chair": Sensitivity(area=(0.09, 0.36, 0.67, 0.70, 0.54), aspect=(0.46, 0.57, 0.56, 0.58, 0.46)),
        "diningtable": Sensitivity(area=(0.22, 0.70, 0.94, 0.99, 0.99), aspect=(0.67, 0.87, 0.87, 0.92, 0.76)),
    },
    "SSD512": {
        "aeroplane": Sensitivity(area=(0.69, 0.87, 0.87, 0.98, 0.96), aspect=(0.91, 0.83, 0.90, 0.89, 0.90)),
        "bicycle": Sensitivity(area=(0.68, 0.96, 0.91, 0.91, 0.97), aspect=(0.83, 0.93, 0.96, 0.88, 0.77)),
        "bird": Sensitivity(area=(0.47, 0.83, 0.82, 0.92, 0.99), aspect=(0.75, 0.86, 0.85, 0.85, 0.77)),
        "boat": Sensitivity(area=(0.60, 0.79, 0.81, 0.92, 0.97), aspect=(0.95, 0.84, 0.82, 0.82, 0.72)),
        "cat": Sensitivity(area=(0.53, 0.93, 0.95, 0.99, 0.98), aspect=(0.90, 0.90, 0.95, 0.93, 0.85)),
        "chair": Sensitivity(area=(0.29, 0.47, 0.69, 0.70, 0.38), aspect=(0.54, 0.62, 0.63, 0.57, 0.42)),
        "diningtable": Sensitivity(area=(0.23, 0.68, 0.91, 0.97, 0.93), aspect=(0.59, 0.88, 0.84, 0.86, 0.76)),
    },
}
"""By detector and class. Figure 6 repeats the areas; the numbers of its starred detectors are not legible."""
