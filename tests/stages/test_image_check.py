import cv2
import numpy as np
import pytest

from stages.image_check import check_image


def encoded(suffix, channels=3):
    image = np.random.default_rng(0).integers(0, 256, (60, 90, channels), np.uint8)
    return cv2.imencode(suffix, image)[1].tobytes()


@pytest.mark.parametrize(
    ("suffix", "name"), [(".jpg", "JPEG"), (".png", "PNG"), (".bmp", "BMP"), (".webp", "WEBP"), (".tiff", "TIFF")]
)
def test_a_whole_image_tells_its_size_and_format(suffix, name):
    image = check_image(encoded(suffix))
    assert (image.width, image.height, image.format) == (90, 60, name)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("kept", [0.99, 0.5, 0.1])
def test_an_image_cut_short_is_refused_wherever_it_is_cut(suffix, kept):
    content = encoded(suffix)
    with pytest.raises(ValueError, match=r".+"):
        check_image(content[: int(len(content) * kept)])


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"\xff\xd8\xff\xe0"])
def test_what_is_no_image_is_refused(content):
    with pytest.raises(ValueError, match=r".+"):
        check_image(content)
