"""Read the values of one row of a CSV: an object, and the stated size of its image.

Every error is a ValueError that names the column and the value. Tested in tests/stages/datasets/test_csv_boxes.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stages.datasets.annotation import AnnotatedObject
from stages.datasets.csv_columns import CLASS, CORNERS, CROWD
from stages.datasets.reading import values


def objects_of(row: Mapping[str, str]) -> Sequence[AnnotatedObject]:
    """The object of a row; none when box and class are empty."""
    name = value_of(row, CLASS)
    if not name and not any(row[corner] for corner in CORNERS):
        return []
    xmin, ymin, xmax, ymax = (_number(row, corner) for corner in CORNERS)
    return [
        AnnotatedObject(
            name=required(row, CLASS),
            box_xyxy=(xmin, ymin, xmax, ymax),
            difficult=values.flag(row.get("difficult"), "difficult"),
            crowd=values.flag(value_of(row, CROWD), "iscrowd"),
        )
    ]


def _number(row: Mapping[str, str], column: str) -> float:
    try:
        return values.number(row[column], column)
    except ValueError as error:
        hint = "; write decimals with a point" if "," in row[column] else ""
        raise ValueError(f"{error}{hint}") from None


def required(row: Mapping[str, str], names: tuple[str, ...]) -> str:
    if not (value := value_of(row, names)):
        raise ValueError(f"{names[0]} is empty")
    return value


def size_of(row: Mapping[str, str]) -> tuple[int, int] | None:
    width = values.optional_number(row.get("width"), "width")
    height = values.optional_number(row.get("height"), "height")
    return None if width is None or height is None else (round(width), round(height))


def value_of(row: Mapping[str, str], names: tuple[str, ...]) -> str:
    """Value of a column with these names, or "". Raises ValueError when two of them contradict each other."""
    given = [(name, text) for name in names if (text := row.get(name))]
    if len({text for _, text in given}) > 1:
        contradiction = " but ".join(f"{name} is {values.shown(text)}" for name, text in given)
        raise ValueError(f"{contradiction}: remove one of the two columns")
    return given[0][1] if given else ""
