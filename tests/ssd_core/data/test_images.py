"""Decoding of files made with Pillow, which supports the unusual formats; expected pixels by hand."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from ssd_core.data.images import decode_rgb


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    sink = io.BytesIO()
    image.save(sink, kind, **options)
    return sink.getvalue()


def test_colours_come_as_red_green_blue():
    assert decode_rgb(encoded(Image.new("RGB", (2, 1), (10, 20, 30)), "PNG")).tolist() == [[[10, 20, 30]] * 2]


def test_grey_images_get_three_equal_channels():
    assert decode_rgb(encoded(Image.new("L", (1, 1), 77), "PNG")).tolist() == [[[77, 77, 77]]]
    assert decode_rgb(encoded(Image.new("L", (8, 8), 77), "JPEG")).tolist()[0][0] == [77, 77, 77]


def test_palette_images_get_the_colours_of_their_palette():
    image = Image.new("P", (1, 1), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    assert decode_rgb(encoded(image, "PNG")).tolist() == [[[10, 20, 30]]]


def test_alpha_is_dropped_not_blended():
    assert decode_rgb(encoded(Image.new("RGBA", (1, 1), (10, 20, 30, 0)), "PNG")).tolist() == [[[10, 20, 30]]]


def test_sixteen_bits_become_the_upper_eight():
    image = Image.fromarray(np.full((1, 1), 0xAB40, np.uint16))
    assert decode_rgb(encoded(image, "PNG")).tolist() == [[[0xAB, 0xAB, 0xAB]]]


def test_a_cmyk_jpeg_shows_its_colours():
    magenta_and_yellow = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    np.testing.assert_allclose(decode_rgb(encoded(magenta_and_yellow, "JPEG", quality=100))[8, 8], [255, 0, 0], atol=8)


def test_real_jpegs_have_the_pixels_of_decoding_to_bgr_and_converting(real_data: Callable[[str], Path]):
    folder = real_data("voc2007") / "VOC2007/JPEGImages"
    for path in sorted(folder.iterdir())[:5]:
        bgr = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        np.testing.assert_array_equal(decode_rgb(path.read_bytes()), bgr[..., ::-1])


def test_the_orientation_of_exif_is_ignored_since_boxes_refer_to_stored_pixels():
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    assert decode_rgb(encoded(Image.new("RGB", (20, 10)), "JPEG", exif=exif)).shape == (10, 20, 3)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>"], ids=["empty", "a web page"])
def test_bytes_that_are_not_an_image_are_refused_with_their_number_and_first_bytes(content: bytes):
    with pytest.raises(ValueError, match=f"{len(content)} bytes starting with"):
        decode_rgb(content)
