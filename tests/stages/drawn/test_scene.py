from collections import Counter

import numpy as np
import pytest

from stages.drawn.scene import draw_portrait, draw_scene
from stages.drawn.vocabulary import COCO_LIKE, VOC_LIKE


@pytest.fixture(scope="module")
def scenes():
    return [draw_scene(160, 180, np.random.default_rng([7, number])) for number in range(150)]


def sides(scenes):
    """Widths and heights of all boxes in pixels."""
    boxes = np.array([item.box_xyxy for scene in scenes for item in scene.objects])
    return (boxes[:, 2:] - boxes[:, :2] + 1).T


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
    scales = np.sqrt(sides(scenes).prod(0) / (160 * 180))
    found, _ = np.histogram(scales, [0.0, 0.15, 0.28, 0.46, 0.64, 0.81, 1.05])
    assert (found > 0.03 * found.sum()).all(), found


def test_boxes_have_the_aspect_ratios_of_voc2007_s(scenes):
    width, height = sides(scenes)
    longer = np.maximum(width / height, height / width)
    assert np.mean(longer > 1.5) == pytest.approx(0.55, abs=0.08)
    assert np.mean(longer > 2) == pytest.approx(0.31, abs=0.08)


def test_objects_are_difficult_and_cut_by_the_border_as_often_as_voc2007_s(scenes):
    objects = [item for scene in scenes for item in scene.objects]
    assert np.mean([item.difficult for item in objects]) == pytest.approx(0.195, abs=0.07)
    assert np.mean([item.truncated for item in objects]) == pytest.approx(0.267, abs=0.07)


def test_no_object_hides_most_of_another(scenes):
    # the stroke that may lie over everything hides a little more
    for scene in scenes:
        shares = [item.area / filled(item) for item in scene.objects if not item.truncated]
        assert all(share > 0.2 for share in shares)


def filled(item):
    """Fewest pixels of a whole object in its box: those of a star."""
    xmin, ymin, xmax, ymax = item.box_xyxy
    return 0.25 * (xmax - xmin + 1) * (ymax - ymin + 1)


def test_a_portrait_shows_one_class_in_any_colour():
    kind = VOC_LIKE.classes[0]
    one, other = (draw_portrait(48, kind, np.random.default_rng(seed)) for seed in (0, 1))
    assert one.shape == other.shape == (48, 48, 3)
    assert one.dtype == np.uint8
    assert not np.array_equal(one, other)
    np.testing.assert_array_equal(one, draw_portrait(48, kind, np.random.default_rng(0)))


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
