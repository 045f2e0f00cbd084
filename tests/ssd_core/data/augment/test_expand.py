"""The larger canvas; expected values by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ssd_core.data.augment.expand import Canvas, draw_canvas, fill_colour, plain_canvas
from ssd_core.spec.detector import Preprocessing


def test_boxes_move_with_the_image_on_the_canvas():
    canvas = Canvas(width=200, height=400, left=50, top=100, image_width=100, image_height=200)
    placed = canvas.place(np.array([[0.0, 0.0, 1.0, 1.0], [0.5, 0.5, 1.0, 1.0]]))
    np.testing.assert_allclose(placed, [[0.25, 0.25, 0.75, 0.75], [0.5, 0.5, 0.75, 0.75]])


def test_the_plain_canvas_is_the_image():
    boxes = np.array([[0.1, 0.2, 0.3, 0.4]])
    np.testing.assert_allclose(plain_canvas(37, 53).place(boxes), boxes)


def test_half_of_the_canvases_are_larger_and_their_sides_grow_by_one_to_four():
    rng = np.random.default_rng(0)
    canvases = [draw_canvas(100, 50, rng) for _ in range(4000)]
    larger = [canvas for canvas in canvases if canvas != plain_canvas(100, 50)]
    assert len(larger) / 4000 == pytest.approx(0.5, abs=0.03)
    factors = np.array([canvas.width / 100 for canvas in larger])
    thirds = np.histogram(factors, bins=3, range=(1, 4))[0] / len(factors)
    np.testing.assert_allclose(thirds, 1 / 3, atol=0.045)  # the side is uniform, not the area
    for canvas in larger:
        assert canvas.height == pytest.approx(canvas.width / 2, abs=1)
        assert 0 <= canvas.left <= canvas.width - 100
        assert 0 <= canvas.top <= canvas.height - 50


def test_the_canvas_has_the_colour_that_the_network_subtracts():
    bgr = Preprocessing()
    assert fill_colour(bgr) == (123, 117, 104)
    assert fill_colour(replace(bgr, channel_order="rgb", mean=(123.675, 116.28, 103.53))) == (124, 116, 104)
