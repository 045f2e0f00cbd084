"""Read the values of one row of a CSV: an object, and the stated size of its image.

Every error is a ValueError that names the column and the value.

Tested in tests/stages/datasets/csv_files/test_csv_boxes.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stages.datasets.annotation import AnnotatedObject
from stages.datasets.csv_files.csv_columns import CLASS, CORNERS, CROWD, IMAGE
from stages.datasets.reading import values


def objects_of(row: Mapping[str, str]) -> Sequence[AnnotatedObject]:
    """The object of a row; none when box and class are empty."""
    name = value_of(row, CLASS)
    if not name and not any(row[corner] for corner in CORNERS):
        return []
    if not name:
        raise ValueError(f"{CLASS[0]} is empty")
    xmin, ymin, xmax, ymax = _corners([row[corner] for corner in CORNERS])
    return [
        AnnotatedObject(
            name=name,
            box_xyxy=(xmin, ymin, xmax, ymax),
            difficult=values.flag(row.get("difficult"), "difficult"),
            crowd=values.flag(value_of(row, CROWD), "iscrowd"),
        )
    ]


def _corners(texts: Sequence[str]) -> tuple[float, ...]:
    try:
        return values.numbers(texts, CORNERS)
    except ValueError as error:
        raise ValueError(f"{error}; write decimals with a point" if "," in "".join(texts) else str(error)) from None


def image_of(row: Mapping[str, str]) -> str:
    """Name of the image."""
    if not (name := value_of(row, IMAGE)):
        raise ValueError(f"{IMAGE[0]} is empty")
    return name


def size_of(row: Mapping[str, str]) -> tuple[int, int] | None:
    width = values.optional_number(row.get("width"), "width")
    height = values.optional_number(row.get("height"), "height")
    return None if width is None or height is None else (round(width), round(height))


def value_of(row: Mapping[str, str], names: tuple[str, str]) -> str:
    """Value of a column with two names, or "". Raises ValueError when both are there and contradict each other."""
    first, second = map(row.get, names)
    if first and second and first != second:
        contradiction = f"{names[0]} is {values.shown(first)} but {names[1]} is {values.shown(second)}"
        raise ValueError(f"{contradiction}: remove one of the two columns")
    return first or second or ""
