from collections import Counter

import numpy as np
import pytest

from stages.drawn.scene import draw_scene
from stages.drawn.vocabulary import COCO_LIKE, VOC_LIKE


@pytest.fixture(scope="module")
def scenes():
    return [draw_scene(160, 180, np.random.default_rng([7, number])) for number in range(150)]


def sides(scenes):
    """Square roots of the boxes' areas over the shorter side of the image."""
    boxes = np.array([item.box_xyxy for scene in scenes for item in scene.objects])
    return np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2] + 1, axis=1)) / 160


def test_every_box_lies_inside_its_image_and_has_an_area(scenes):
    for scene in scenes:
        assert scene.image.shape == (160, 180, 3)
        assert scene.image.dtype == np.uint8
        for item in scene.objects:
            xmin, ymin, xmax, ymax = item.box_xyxy
            assert 1 <= xmin < xmax <= 180
            assert 1 <= ymin < ymax <= 160


def test_every_image_has_an_object_and_every_class_its_share(scenes):
    assert all(scene.objects for scene in scenes)
    counts = Counter(item.name for scene in scenes for item in scene.objects)
    assert set(counts) == set(VOC_LIKE.names)
    assert min(counts.values()) > 0.1 * sum(counts.values())


def test_each_of_the_six_feature_maps_of_a_detector_has_objects_of_its_size(scenes):
    # SSD300's scales as fractions of the input: .1, .2, .375, .55, .725, .9
    found, _ = np.histogram(sides(scenes), [0.05, 0.15, 0.28, 0.46, 0.64, 0.81, 1.05])
    assert (found > 0.04 * found.sum()).all(), found


def test_few_objects_are_difficult_and_few_are_cut_by_the_border(scenes):
    objects = [item for scene in scenes for item in scene.objects]
    assert 0.02 < np.mean([item.difficult for item in objects]) < 0.15
    assert 0.04 < np.mean([item.truncated for item in objects]) < 0.2


def test_a_truncated_object_touches_the_border(scenes):
    for scene in scenes:
        for item in scene.objects:
            xmin, ymin, xmax, ymax = item.box_xyxy
            assert not item.truncated or xmin == 1 or ymin == 1 or xmax == 180 or ymax == 160


def test_one_generator_state_gives_one_image(scenes):
    again = draw_scene(160, 180, np.random.default_rng([7, 0]))
    np.testing.assert_array_equal(again.image, scenes[0].image)
    assert again.objects == scenes[0].objects


@pytest.fixture(scope="module")
def richer():
    """Scenes of the second vocabulary."""
    return [draw_scene(160, 180, np.random.default_rng([7, number]), COCO_LIKE) for number in range(150)]


def test_the_first_vocabulary_has_no_crowd_and_the_second_has_crowds_and_empty_images(scenes, richer):
    assert not any(item.crowd for scene in scenes for item in scene.objects)
    # 8 % and 3 % of 150 images
    assert 4 <= sum(any(item.crowd for item in scene.objects) for scene in richer) <= 24
    assert 1 <= sum(not scene.objects for scene in richer) <= 12


def test_every_class_of_the_second_vocabulary_is_drawn(richer):
    counts = Counter(item.name for scene in richer for item in scene.objects)
    assert set(counts) == set(COCO_LIKE.names)
    assert min(counts.values()) > 0.04 * sum(counts.values())


def test_the_area_of_an_object_is_the_number_of_its_visible_pixels(richer):
    for scene in richer:
        for item in scene.objects:
            xmin, ymin, xmax, ymax = item.box_xyxy
            assert 0 < item.area <= (xmax - xmin + 1) * (ymax - ymin + 1)
