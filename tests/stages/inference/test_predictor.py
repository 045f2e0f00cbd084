"""Pictures in every form that users have them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.errors import PipelineError
from ssd_core.data.images import decode_rgb
from stages.inference.image_detections import ImageDetections
from stages.inference.predictor import Predictor


def same(one: ImageDetections, other: ImageDetections) -> bool:
    pairs = ((one.boxes_xyxy, other.boxes_xyxy), (one.labels, other.labels), (one.scores, other.scores))
    return all(np.array_equal(*pair) for pair in pairs)


def test_paths_bytes_pil_images_arrays_and_tensors_give_the_same_detections(detector: Predictor, file: Path) -> None:
    found = detector(file)
    assert (found.width, found.height, found.name, len(found) > 3) == (140, 90, str(file), True)
    pixels = decode_rgb(file.read_bytes())
    forms: list[Any] = [
        str(file), file.read_bytes(), Image.open(file), pixels, np.asfortranarray(pixels),
        torch.from_numpy(pixels).permute(2, 0, 1), Image.open(file).convert("RGBA"),
    ]  # fmt: skip
    for form in forms:
        assert same(detector(form), found), type(form)
        assert np.array_equal(np.asarray(detector(form).crops()[0]), np.asarray(found.crops()[0]))


def test_one_picture_gives_one_result_and_several_give_a_list(detector: Predictor, file: Path) -> None:
    pixels = decode_rgb(file.read_bytes())
    assert isinstance(detector(pixels), ImageDetections)
    for several in ([file], (file,), iter([file]), pixels[None], torch.from_numpy(pixels).permute(2, 0, 1)[None]):
        (found,) = detector(several)
        assert same(found, detector(file))
    assert detector([]) == []


def test_pictures_of_several_sizes_and_forms_share_a_batch(detector: Predictor, file: Path) -> None:
    pixels = decode_rgb(file.read_bytes())
    wide, tall = np.repeat(pixels, 3, axis=1), np.repeat(pixels, 4, axis=0)
    found = detector([file, wide, Image.fromarray(tall)])
    assert [(each.width, each.height) for each in found] == [(140, 90), (420, 90), (140, 360)]
    for each, alone in zip(found, [detector(file), detector(wide), detector(tall)], strict=True):
        np.testing.assert_array_equal(each.labels, alone.labels)
        np.testing.assert_allclose(each.boxes_xyxy, alone.boxes_xyxy, rtol=0, atol=1e-5 * max(each.width, each.height))


def test_the_exif_orientation_is_ignored_as_by_the_readers_of_data_sets(detector: Predictor, file: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = file.with_name("turned.png")
    Image.open(file).save(turned, exif=exif)
    assert Image.open(turned).getexif()[0x0112] == 6
    assert same(detector(turned), detector(file))
    assert same(detector(Image.open(turned)), detector(file))


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        ("nowhere.jpg", "nowhere.jpg: there is no such file"),
        (".", "a folder, not a picture"),
        (b"", "the file is empty"),
        (b"no image at all", "cannot identify image file"),
        (np.zeros((4, 4), np.uint8), r"must be \(height, width, 3\)"),
        (np.zeros((3, 4, 4), np.uint8), r"must be \(height, width, 3\)"),
        (np.zeros((0, 4, 3), np.uint8), r"must be \(height, width, 3\)"),
        (np.zeros((4, 4, 3), np.float32), "must be uint8 in 0..255, but are float32"),
        (torch.zeros(3, 4, 4), "must be uint8 in 0..255, but are float32"),
        (Image.new("I;16", (4, 4)), "mode I;16 has no 8-bit pixels"),
    ],
)
def test_what_is_no_picture_is_refused_with_what_is(detector: Predictor, picture: Any, message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        detector(picture)
    with pytest.raises(PipelineError, match=message):
        detector([np.zeros((8, 8, 3), np.uint8), picture])


def test_a_detector_describes_itself(detector: Predictor) -> None:
    assert repr(detector) == "SSD130 for 3 classes, on cpu, scores above 0.3"
