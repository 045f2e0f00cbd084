"""The contact sheet, checked by its pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy import ndarray

from ssd_core.data.shards import Row
from stages.figures.sheet import contact_sheet
from stages.figures.style import class_colour, ink_on, new_figure, plain_axes


def row(*labels: int, difficult: bool = False, crowd: bool = False, size_wh: tuple[int, int] = (200, 150)) -> Row:
    """A grey image whose objects share one box in its centre."""
    width, height = size_wh
    grey = np.full((height, width, 3), 128, np.uint8)
    return Row(
        image_id="grey",
        source="own",
        image=cv2.imencode(".png", grey)[1].tobytes(),
        width=width,
        height=height,
        boxes_xyxy=np.array([[width / 4, height / 4, width * 3 / 4, height * 3 / 4]] * len(labels), np.float32).reshape(
            -1, 4
        ),
        labels=np.array(labels, np.int32),
        difficult=np.full(len(labels), difficult),
        crowd=np.full(len(labels), crowd),
        area=np.ones(len(labels), np.float32),
        annotation_ids=np.arange(len(labels)),
    )


def pixels(*rows: Row) -> ndarray:
    """The sheet as an RGB array."""
    decoded = cv2.imdecode(np.frombuffer(contact_sheet(rows, ("cat", "dog")), np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(decoded)[..., ::-1]


def coloured(sheet: ndarray, label: int) -> int:
    """Number of pixels in the colour of a class."""
    wanted = np.round(np.array(class_colour(label)) * 255)
    return int((np.abs(sheet - wanted).max(axis=-1) < 12).sum())


def test_a_box_has_the_colour_of_its_class() -> None:
    cat, dog = pixels(row(0)), pixels(row(1))
    assert coloured(cat, 0) > 500
    assert coloured(dog, 1) > 500
    assert coloured(cat, 1) == coloured(dog, 0) == 0


def test_a_difficult_object_is_dashed_and_a_crowd_is_hatched() -> None:
    plain, dashed, hatched = (
        coloured(pixels(marked), 0) for marked in (row(0), row(0, difficult=True), row(0, crowd=True))
    )
    assert dashed < plain < hatched


def test_an_image_without_objects_is_shown_without_a_box() -> None:
    sheet = pixels(row())
    assert coloured(sheet, 0) == 0
    assert (sheet == 128).all(axis=-1).sum() > 10_000


@pytest.mark.parametrize("count", [1, 5])
def test_any_number_of_images_fits_on_the_sheet(count: int) -> None:
    single = (pixels(row()) == 128).all(axis=-1).sum()
    grey = (pixels(*[row()] * count) == 128).all(axis=-1).sum()
    assert grey == pytest.approx(count * single, rel=0.1)


def test_a_panorama_and_a_large_image_are_shown_completely() -> None:
    for size_wh in ((2000, 100), (100, 2000), (3000, 2000)):
        assert coloured(pixels(row(0, size_wh=size_wh)), 0) > 30


def test_colours_of_twenty_classes_differ_and_their_text_is_legible() -> None:
    colours = np.array([class_colour(label) for label in range(20)])
    distances = np.linalg.norm(colours[:, None] - colours, axis=-1)
    assert distances[~np.eye(20, dtype=bool)].min() > 0.26
    assert (ink_on((1, 1, 0)), ink_on((0, 0, 0.6))) == ("black", "white")


@pytest.mark.parametrize("most", [1, 3, 5, 12, 2_500])
def test_ticks_of_counts_are_whole_numbers(most: int) -> None:
    axes = new_figure(3, 2).subplots()
    plain_axes(axes, "objects", values="y")
    axes.bar(["a", "b"], [most, most / 2])
    ticks = [tick for tick in axes.get_yticks() if tick <= most]
    assert len(ticks) >= 2
    assert [tick % 1 for tick in ticks] == [0] * len(ticks)
