"""Labels are legible: inside the picture, apart from each other; lines are thin on small objects."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from stages.inference.drawing import Corners, cut_out, draw_boxes, label_place, line_width, text_height

TEXT = (0, 0, 60, 12)
SIZE = (500, 400)


@pytest.mark.parametrize(
    ("box", "place"),
    [
        ((100, 100, 300, 300), (100, 84, 164, 100)),  # above
        ((100, 5, 300, 300), (100, 300, 164, 316)),  # below, at the upper border
        ((0, 0, 499, 399), (0, 0, 64, 16)),  # inside, when it fills the picture
        ((480, 100, 499, 300), (436, 84, 500, 100)),  # shifted at the right border
    ],
)
def test_a_label_is_inside_the_picture(box: Corners, place: Corners) -> None:
    assert label_place(box, TEXT, SIZE, []) == place


def test_labels_of_equal_boxes_do_not_overlap() -> None:
    places: list[Corners] = []
    for _ in range(8):
        places.append(label_place((100, 100, 300, 300), TEXT, SIZE, places))
    assert len(set(places)) == 8


@pytest.mark.parametrize(("side", "width"), [(8, 1), (24, 1), (60, 2), (400, 4)])
def test_lines_are_thin_on_small_objects(side: int, width: int) -> None:
    assert line_width((0, 0, side, side + 5), (1200, 900)) == width


def test_the_text_grows_with_the_picture() -> None:
    assert [text_height((side, 10)) for side in (100, 600, 1200, 9000)] == [12, 12, 25, 32]


def test_boxes_of_any_kind_are_drawn_and_cut_out() -> None:
    odd = np.array(
        [[-50, -50, -10, -10], [5, 5, 5, 5], [40, 20, 10, 2], [0, 0, 900, 900], [99, 49, 130, 80]], np.float32
    )
    pixels = np.zeros((50, 100, 3), np.uint8)
    drawn = draw_boxes(pixels, odd, range(5), ["猫", "a" * 300, "", "é", "x"])
    assert isinstance(drawn, Image.Image)
    assert drawn.size == (500, 250)
    assert all(min(crop.size) >= 1 for crop in cut_out(pixels, odd))
