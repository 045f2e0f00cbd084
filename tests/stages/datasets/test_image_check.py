import io
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from stages.datasets.defects import Kind
from stages.datasets.image_check import check_image


def encoded(suffix, channels=3):
    image = np.random.default_rng(0).integers(0, 256, (60, 90, channels), np.uint8)
    return cv2.imencode(suffix, image)[1].tobytes()


@pytest.mark.parametrize(
    ("suffix", "name"), [(".jpg", "JPEG"), (".png", "PNG"), (".bmp", "BMP"), (".webp", "WEBP"), (".tiff", "TIFF")]
)
def test_the_size_and_format_of_a_complete_image_are_reported(suffix, name):
    image = check_image(encoded(suffix))
    assert (image.width, image.height, image.format) == (90, 60, name)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("kept", [0.99, 0.5, 0.1])
def test_a_truncated_image_is_refused_wherever_it_is_cut(suffix, kept):
    content = encoded(suffix)
    with pytest.raises(ValueError, match=r".+"):
        check_image(content[: int(len(content) * kept)])


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"\xff\xd8\xff\xe0"])
def test_content_that_is_not_an_image_is_refused(content):
    with pytest.raises(ValueError, match=r".+"):
        check_image(content)


def saved(image, kind, **options):
    sink = io.BytesIO()
    image.save(sink, kind, **options)
    return sink.getvalue()


WITH_ALPHA = np.zeros((8, 8, 4), np.uint8)
DEEP = np.full((8, 8, 3), 0xAB40, np.uint16)


@pytest.mark.parametrize(
    ("content", "oddities"),
    [
        (saved(Image.new("RGB", (8, 8)), "PNG"), ()),
        (saved(Image.new("L", (8, 8)), "JPEG"), (Kind.GREY,)),
        (saved(Image.new("CMYK", (8, 8)), "JPEG"), (Kind.CMYK,)),
        (saved(Image.fromarray(WITH_ALPHA), "PNG"), (Kind.ALPHA,)),
        (saved(Image.new("LA", (8, 8)), "PNG"), (Kind.GREY, Kind.ALPHA)),
        (saved(Image.new("P", (8, 8)), "PNG"), (Kind.PALETTE,)),
        (saved(Image.new("P", (8, 8)), "PNG", transparency=0), (Kind.PALETTE, Kind.ALPHA)),
        (saved(Image.fromarray(DEEP[..., 0]), "PNG"), (Kind.DEEP,)),
        (cv2.imencode(".png", DEEP)[1].tobytes(), (Kind.DEEP,)),
        (cv2.imencode(".tiff", DEEP)[1].tobytes(), (Kind.DEEP,)),
    ],
    ids=["rgb", "grey", "cmyk", "rgba", "grey and alpha", "palette", "clear palette", "16", "16 rgb", "16 rgb tiff"],
)
def test_changes_made_by_decoding_are_reported(content, oddities):
    assert check_image(content).oddities == oddities


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_an_exif_orientation_is_reported_and_not_applied(kind):
    exif = Image.Exif()
    exif[0x0112] = 6
    image = check_image(saved(Image.new("RGB", (20, 10)), kind, exif=exif))
    assert (image.width, image.height, image.orientation) == (20, 10, 6)


def test_an_image_with_broken_exif_is_accepted():
    image = check_image(saved(Image.new("RGB", (20, 10)), "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff"))
    assert image.orientation == 1


def without_end(content):
    """A PNG without its last chunk, IEND."""
    return content[:-12]


def with_wrong_checksum(content):
    place = content.index(b"IDAT") - 4
    length = int.from_bytes(content[place : place + 4])
    end = place + 8 + length
    return content[:end] + bytes([content[end] ^ 1]) + content[end + 1 :]


FLOATS = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)


@pytest.mark.parametrize(
    "content",
    [
        without_end(encoded(".png")),
        with_wrong_checksum(encoded(".png")),
        saved(Image.fromarray(FLOATS), "TIFF"),
        saved(Image.fromarray(FLOATS.astype(np.int32)), "TIFF"),
        saved(Image.new("RGB", (8, 8)), "TIFF", compression="zstd"),
        saved(Image.new("RGB", (8, 8)), "TIFF", compression="lzma"),
    ],
    ids=["PNG without end", "PNG with a wrong checksum", "float TIFF", "int32 TIFF", "zstd TIFF", "LZMA TIFF"],
)
def test_an_image_that_only_pillow_reads_is_refused_because_trainings_decode_with_opencv(content):
    with pytest.raises(ValueError, match=r".+"):
        check_image(content)


def declared(content: bytes, width: int, height: int) -> bytes:
    """A PNG whose header declares another size."""
    size = width.to_bytes(4) + height.to_bytes(4)
    header = b"IHDR" + size + content[24:29]
    return content[:12] + header + zlib.crc32(header).to_bytes(4) + content[33:]


@pytest.mark.parametrize("size", [(12_000, 12_000), (100_001, 1000), (13_375, 13_375), (60_000, 60_000)])
def test_an_image_of_more_than_100_megapixels_is_refused_by_its_header(size):
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"pixels, but images are read up to 100,000,000|exceeds limit"):
        check_image(declared(encoded(".png"), *size))
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_an_image_of_100_megapixels_is_accepted():
    image = check_image(saved(Image.new("L", (10_000, 10_000)), "JPEG"))
    assert (image.width, image.height) == (10_000, 10_000)
