"""What is in a shard can be decoded by a training, whatever was done to the files of the images."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ssd_core.data.images import decode_rgb
from ssd_core.data.shards import ShardSet
from stages.datasets.voc import VocFolder
from stages.shards.shard import Shard

FORMATS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("jpg", "RGB", {}),
    ("jpg", "RGB", {"progressive": True}),
    ("jpg", "RGB", {"restart_marker_rows": 1, "subsampling": 0, "quality": 95}),
    ("jpg", "L", {}),
    ("jpg", "CMYK", {}),
    ("png", "RGB", {}),
    ("png", "P", {}),
    ("bmp", "RGB", {}),
    ("webp", "RGB", {}),
    ("tif", "RGB", {"compression": "tiff_lzw"}),
    ("tif", "RGB", {"compression": "raw"}),
)
KIND = {"jpg": "JPEG", "png": "PNG", "bmp": "BMP", "webp": "WEBP", "tif": "TIFF"}


def encoded(image, suffix, mode, options):
    sink = io.BytesIO()
    image.convert(mode).save(sink, KIND[suffix], **options)
    return sink.getvalue()


def mutated(content, rng):
    """A copy with one to three changes: bytes replaced, removed or inserted, or its end cut off."""
    changed = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        within = len(changed) if rng.random() < 0.5 else min(len(changed), 700)  # headers are short
        place, length = int(rng.integers(within)), int(rng.integers(1, 20))
        match rng.integers(5):
            case 0:
                changed[place] = rng.integers(256)
            case 1:
                changed[place] ^= 1 << rng.integers(8)
            case 2:
                del changed[place : place + length]
            case 3:
                changed[place:place] = rng.bytes(length)
            case 4:
                del changed[max(place, 30) :]
    return bytes(changed)


@pytest.mark.parametrize("number", [330, pytest.param(5000, marks=pytest.mark.slow)])
def test_every_image_of_a_shard_made_from_mutated_files_decodes_to_its_size(voc, in_process, number):
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (24, 40, 3), np.uint8)).resize((60, 40))
    for index in range(number):
        suffix, mode, options = FORMATS[index % len(FORMATS)]
        image = mutated(encoded(picture, suffix, mode, options), rng)
        (voc.root / f"JPEGImages/m{index}.{suffix}").write_bytes(image)
        voc.annotation(f"m{index}", ("cat", 1, 1, 9, 9), size=(60, 40))
    voc.split("train", ["a", *(f"m{index}" for index in range(number))])
    stage = Shard(sources=(VocFolder(name="pets", split="train", root=str(voc.root)),))
    stage.run(ctx := in_process(stage))
    shards = ShardSet(ctx.out.path)
    assert 0.1 * number < len(shards) < 0.9 * number
    for row in shards:
        assert decode_rgb(row.image).shape == (row.height, row.width, 3)
