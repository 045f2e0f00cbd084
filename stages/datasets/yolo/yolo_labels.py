"""Parse a label file of YOLO: a line for each object, with class, centre and size as fractions of the image.

A line with more numbers is an outline, class x1 y1 x2 y2 ..., of which the bounding box is taken, or, where the YAML
states `kpt_shape`, a box followed by keypoints. A line that holds neither becomes a defect with its number.

Tested in tests/stages/datasets/yolo/test_yolo_folder.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from stages.datasets.annotation import AnnotatedObject, Annotation, Remark
from stages.datasets.defects import Box, Kind
from stages.datasets.reading import values
from stages.datasets.reading.text import numbered_lines

FIELDS = ("x", "y", "width", "height")
ROUNDING = 1e-5
"""Distance beyond the border of the image that rounding to five decimals explains."""

FARTHEST = 2.0
"""Largest coordinate that a fraction may have: a box beyond it is in pixels."""


@dataclass(frozen=True, kw_only=True)
class LabelFormat:
    """What the lines of a data set's label files mean."""

    names: Mapping[int, str]
    """Class names by index."""

    keypoints: int = 0
    """Number of values that follow each box, for keypoints; 0 when there are none."""


def parse_labels(content: bytes, file: str, form: LabelFormat) -> Annotation:
    """Parse a label file. Raises PipelineError when it is not text."""
    objects, remarks = list[AnnotatedObject](), list[Remark]()
    outlines = 0
    for number, line in numbered_lines(content, file):
        try:
            parts = line.split()
            read = _shape(len(parts), form)
            name = _name(parts[0], form.names)
            objects.append(AnnotatedObject(name=name, box_xyxy=_snapped(read(parts[1:]))))
            outlines += read is _around
        except ValueError as error:
            remarks.append(Remark(kind=Kind.UNREADABLE_LINE, detail=f"line {number}: {error}"))
    if outlines:
        remarks.append(Remark(kind=Kind.UNREAD, detail=f"boxes taken around outlines: {outlines}"))
    if form.keypoints and objects:
        remarks.append(Remark(kind=Kind.UNREAD, detail=f"keypoints, of objects: {len(objects)}"))
    return Annotation(size=None, objects=tuple(objects), remarks=tuple(remarks), relative=True)


def _shape(length: int, form: LabelFormat) -> Callable[[Sequence[str]], Box]:
    """The function that reads the box of a line with so many values."""
    if length == 5 + form.keypoints:
        return _box
    if form.keypoints:
        raise ValueError(f"{length} values, not {5 + form.keypoints}: class, x, y, width, height and the keypoints")
    if length == 6:
        raise ValueError("6 values: class, box and a confidence are a prediction, not a label")
    if length < 7 or length % 2 == 0:
        raise ValueError(f"{length} values: neither class, x, y, width, height nor a class and points of an outline")
    return _around


def _name(text: str, names: Mapping[int, str]) -> str:
    index = values.number(text, "class")
    if index not in names:  # 1.0 finds 1
        raise ValueError(f"class {text}, but the names have the indices {min(names)} to {max(names)}")
    return names[int(index)]


def _box(texts: Sequence[str]) -> Box:
    x, y, width, height = _fractions(texts[:4], FIELDS)
    if width < 0 or height < 0:
        raise ValueError(f"size {width:g} x {height:g} is negative")
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _around(texts: Sequence[str]) -> Box:
    """The box around an outline."""
    points = _fractions(texts, ("x", "y") * (len(texts) // 2))
    xs, ys = points[0::2], points[1::2]
    return min(xs), min(ys), max(xs), max(ys)


def _fractions(texts: Sequence[str], fields: Sequence[str]) -> tuple[float, ...]:
    found = values.numbers(texts, fields)
    if max(map(abs, found)) > FARTHEST:
        place = next(place for place, number in enumerate(found) if abs(number) > FARTHEST)
        raise ValueError(
            f"{fields[place]} is {texts[place]}, not a fraction of the image; pixels must be divided by its size"
        )
    return found


def _snapped(box: Box) -> Box:
    """The box with edges on the border of the image that rounding moved across it."""
    xmin, ymin, xmax, ymax = (
        0.0 if -ROUNDING <= edge < 0 else 1.0 if 1 < edge <= 1 + ROUNDING else edge for edge in box
    )
    return xmin, ymin, xmax, ymax
