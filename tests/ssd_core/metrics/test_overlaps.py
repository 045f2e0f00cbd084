"""Overlaps of detections with the objects of their images, by hand."""

import numpy as np

from ssd_core.metrics.overlaps import Pairs, pairs_in_images, take_free_objects

SQUARE, HALF, FAR = [0, 0, 10, 10], [0, 0, 10, 5], [20, 20, 30, 30]


def boxes(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


def pairs(detections, objects, overlaps):
    return Pairs(np.array(detections), np.array(objects), np.array(overlaps, np.float64))


def test_a_detection_is_paired_with_each_object_of_its_image_and_of_no_other():
    found = pairs_in_images(
        np.array([7, 3, 7]), boxes(SQUARE, SQUARE, FAR), np.array([3, 7, 7]), boxes(*[HALF] * 3), 0.0
    )
    assert found.detections.tolist() == [0, 0, 1, 2, 2]
    assert found.objects.tolist() == [1, 2, 0, 1, 2]
    assert found.overlaps.tolist() == [0.5, 0.5, 0.5, 0, 0]


def test_pixels_of_voc_include_both_corners():
    one = np.array([0])
    (overlap,) = pairs_in_images(one, boxes(SQUARE), one, boxes(HALF), 1.0).overlaps
    assert overlap == 66 / 121  # 11 x 6 pixels of 11 x 11


def test_no_detections_have_no_pairs():
    none = np.array([], np.int64)
    assert [len(values) for values in pairs_in_images(none, boxes(), np.array([1]), boxes(HALF), 0.0)] == [0, 0, 0]


def test_each_detection_takes_the_object_that_it_overlaps_most_of_those_left():
    found = pairs([0, 0, 1, 1, 2], [0, 1, 0, 1, 1], [0.6, 0.9, 0.2, 0.8, 1.0])
    assert take_free_objects(found, detections=4, objects=2).tolist() == [1, 0, -1, -1]


def test_of_objects_with_the_same_overlap_the_first_is_taken():
    assert take_free_objects(pairs([0, 0], [0, 1], [0.5, 0.5]), detections=1, objects=2).tolist() == [0]


def test_pairs_are_selected_together():
    chosen = pairs([0, 1], [5, 6], [0.1, 0.2]).chosen(np.array([False, True]))
    assert (chosen.detections.tolist(), chosen.objects.tolist(), chosen.overlaps.tolist()) == ([1], [6], [0.2])
