"""Pixels of drawn plans, compared with a rendering of the whole patch step by step, for each of the interpolations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from ssd_core.data.augment.expand import Canvas
from ssd_core.data.augment.photometric import Distortion
from ssd_core.data.augment.pipeline import INTERPOLATIONS, Plan, draw_plan, render
from ssd_core.data.images import decode_rgb
from ssd_core.data.order import generator
from ssd_core.spec.augmentation import STARRED, Augmentation
from tests.ssd_core.data.augment.plain_rendering import rendered_plainly

FILL = (123, 117, 104)
SIZE = 300
BOXES = np.array([[0.1, 0.2, 0.5, 0.7], [0.6, 0.1, 0.9, 0.4]])
NAMES = {
    cv2.INTER_LINEAR: "linear",
    cv2.INTER_AREA: "area",
    cv2.INTER_NEAREST: "nearest",
    cv2.INTER_CUBIC: "cubic",
    cv2.INTER_LANCZOS4: "lanczos",
}
WORST_PIXEL = {"linear": 64, "area": 255, "nearest": 255, "cubic": 64, "lanczos": 64}
"""Largest difference of one value; a nearest pixel can be its neighbour instead; area copies where a side grows."""


@dataclass
class Difference:
    """Differences from the reference over many plans, in levels of 255."""

    mean: float = 0.0
    """Of the image that differs most."""

    worst: int = 0
    equal: int = 0
    plans: int = 0

    def add(self, ours: np.ndarray, plain: np.ndarray) -> None:
        difference = cv2.absdiff(ours, plain)
        self.mean = max(self.mean, float(difference.mean()))
        self.worst = max(self.worst, int(difference.max()))
        self.equal += not difference.any()
        self.plans += 1


def drawn(width: int, height: int, augmentation: Augmentation, seeds: range) -> Iterator[Plan]:
    """Plans of an image, the interpolations in turns."""
    for seed in seeds:
        rng = generator("augmentation", seed=0, epoch=0, index=seed)
        plan = draw_plan(width, height, BOXES, augmentation, rng)
        yield replace(plan, interpolation=INTERPOLATIONS[seed % len(INTERPOLATIONS)])


def compared(image: np.ndarray, plans: Iterator[Plan], differences: dict[str, Difference]) -> None:
    for plan in plans:
        difference = differences.setdefault(NAMES[plan.interpolation], Difference())
        difference.add(render(image, plan, SIZE, FILL), rendered_plainly(image, plan, SIZE, FILL))


def assert_close(differences: dict[str, Difference]) -> None:
    assert set(differences) == set(NAMES.values())
    for name, difference in differences.items():
        assert difference.mean <= 1, f"{name}: {difference}"
        assert difference.worst <= WORST_PIXEL[name], f"{name}: {difference}"


def real_images(folder: Path, count: int) -> Iterator[np.ndarray]:
    for path in sorted((folder / "VOC2007/JPEGImages").iterdir())[:count]:
        yield decode_rgb(path.read_bytes())


def compared_on_real_images(folder: Path, images: int, plans: int) -> dict[str, Difference]:
    """Draw equally many plans for each of the images."""
    differences: dict[str, Difference] = {}
    each = plans // images
    for number, image in enumerate(real_images(folder, images)):
        seeds = range(number * each, (number + 1) * each)
        compared(image, drawn(image.shape[1], image.shape[0], STARRED, seeds), differences)
    return differences


def test_each_interpolation_renders_real_images_as_the_whole_patch_within_a_level_on_average(
    real_data: Callable[[str], Path],
):
    assert_close(compared_on_real_images(real_data("voc2007"), images=20, plans=100))


@pytest.mark.slow
def test_ten_thousand_plans_render_real_images_as_the_whole_patch_within_a_level_on_average(
    real_data: Callable[[str], Path],
):
    differences = compared_on_real_images(real_data("voc2007"), images=1000, plans=10_000)
    print(differences)
    assert sum(difference.plans for difference in differences.values()) == 10_000
    assert_close(differences)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    """161 x 117 pixels of smooth noise."""
    noise = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return cv2.resize(noise, (161, 117), interpolation=cv2.INTER_CUBIC)


def test_without_zooming_out_the_geometry_is_that_of_the_whole_patch_exactly_but_for_the_rounding_of_lanczos(image):
    plans = drawn(161, 117, replace(STARRED, photometric=False, expand=False), range(200))
    for plan in plans:
        ours, plain = render(image, plan, 64, FILL), rendered_plainly(image, plan, 64, FILL)
        assert cv2.absdiff(ours, plain).max() <= (plan.interpolation == cv2.INTER_LANCZOS4)


def test_a_nearest_neighbour_is_distorted_alike_before_and_after_resizing(image):
    plans = drawn(161, 117, replace(STARRED, expand=False), range(2, 200, 5))
    for plan in plans:
        assert plan.interpolation == cv2.INTER_NEAREST
        ours, plain = render(image, plan, 20, FILL), rendered_plainly(image, plan, 20, FILL)
        np.testing.assert_allclose(ours.astype(int), plain, atol=4)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("flip", [False, True])
def test_a_patch_whose_edges_fall_onto_those_of_the_output_is_exact(image, interpolation, flip):
    plan = Plan(
        distortion=Distortion(),
        canvas=Canvas(width=400, height=300, left=103, top=77, image_width=161, image_height=117),
        patch_xyxy=np.array([0.0, 0.0, 1.0, 1.0]),
        interpolation=interpolation,
        flip=flip,
    )
    np.testing.assert_allclose(
        render(image, plan, 100, FILL).astype(int), rendered_plainly(image, plan, 100, FILL), atol=1
    )  # 1: another path through OpenCV


def test_a_patch_that_shows_nothing_of_the_image_is_filled_and_each_result_can_be_written(image):
    plan = Plan(
        distortion=Distortion(),
        canvas=Canvas(width=600, height=600, left=400, top=400, image_width=161, image_height=117),
        patch_xyxy=np.array([0.0, 0.0, 0.5, 0.5]),
        interpolation=cv2.INTER_LINEAR,
        flip=False,
    )
    first = render(image, plan, 20, FILL)
    first[:] = 0
    assert (render(image, plan, 20, FILL) == FILL).all()
