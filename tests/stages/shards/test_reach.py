"""Objects that default boxes reach, counted for a detector small enough to work out by hand."""

from __future__ import annotations

import numpy as np

from ssd_core.spec.detector import DetectorSpec, Scale, Source
from stages.shards.album import AlbumContents
from stages.shards.reach import reach_of, sides

# Four cells with a square of 4 at input 16, one with squares of 8 and 12; see tests/ssd_core/boxes/test_coverage.py
SPEC = DetectorSpec(
    input_size=16,
    classes=("anything",),
    extras=(),
    sources=(
        Source(layer="conv4_3", step=8, scales=(Scale(size=4, next_size=8, ratios=(), large_square=False),)),
        Source(layer="conv7", step=16, scales=(Scale(size=8, next_size=18, ratios=()),)),
    ),
)


def seen(*objects: tuple[int, tuple[float, float, float, float]], crowd: tuple[int, ...] = ()) -> AlbumContents:
    """Objects as (label, box in pixels of the input), all in one image."""
    return AlbumContents(
        title="by hand",
        classes=("cat", "dog"),
        images=1,
        left_out=0,
        picked=(),
        image=np.zeros(len(objects), np.int64),
        boxes_xyxy=np.array([box for _, box in objects], np.float64).reshape(-1, 4) / 16,
        labels=np.array([label for label, _ in objects], np.int64),
        difficult=np.zeros(len(objects), np.bool_),
        crowd=np.array([number in crowd for number in range(len(objects))], np.bool_),
    )


REACHED, TINY = (2, 2, 6, 6), (7, 7, 9, 9)


def test_objects_are_counted_at_the_scale_of_their_best_box_when_it_reaches_them() -> None:
    found = reach_of(seen((0, REACHED), (0, (4, 4, 12, 12)), (1, (2, 2, 14, 14)), (1, TINY)), SPEC)
    assert [(scale.name, scale.default_boxes, scale.best, scale.reached) for scale in found.scales] == [
        ("conv4_3 4", 4, 1, 1),
        ("conv7 8", 2, 2, 2),
    ]
    assert (found.all.objects, found.all.unreached, found.all.share) == (4, 1, 0.25)


def test_an_object_between_two_scales_is_reached_by_both_and_has_its_best_box_in_one() -> None:
    # 6 x 6 inside the 8 x 8 square: 36 / 64; of a 4 x 4 square moved to its corner, 16 / 36 is too little for half
    wide = DetectorSpec(
        input_size=16,
        classes=("anything",),
        extras=(),
        sources=(
            Source(layer="conv7", step=16, scales=(Scale(size=8, next_size=8, ratios=()),)),
            Source(layer="conv7", step=16, scales=(Scale(size=6, next_size=6, ratios=()),)),
        ),
    )
    found = reach_of(seen((0, (5, 5, 11, 11))), wide)
    assert [(scale.best, scale.reached) for scale in found.scales] == [(0, 1), (1, 1)]


def test_unreached_objects_are_counted_by_size_and_class() -> None:
    found = reach_of(seen((0, REACHED), (1, TINY), (1, TINY)), SPEC)
    assert [(group.name, group.objects, group.unreached) for group in found.classes] == [("cat", 1, 0), ("dog", 2, 2)]
    assert [(group.name, group.objects, group.unreached) for group in found.sizes if group.objects] == [
        ("0 to 8", 3, 2)
    ]


def test_sizes_are_sides_of_the_square_with_the_same_area_in_input_pixels() -> None:
    boxes_xyxy = np.array([[0, 0, 1, 1], [0, 0, 0.5, 0.125]])
    np.testing.assert_allclose(sides(boxes_xyxy, SPEC), [16, 4])  # sqrt(8 * 2)


def test_bins_include_their_lower_bound_and_cover_all_objects() -> None:
    found = reach_of(seen((0, (0, 0, 8, 8)), (0, (0, 0, 7.9, 7.9)), (0, (0, 0, 16, 16))), SPEC)
    counts = {group.name: group.objects for group in found.sizes}
    assert (counts["0 to 8"], counts["8 to 16"], counts["16 to 32"]) == (1, 1, 1)
    assert sum(counts.values()) == 3


def test_crowds_are_not_counted_since_they_are_never_trained_on() -> None:
    found = reach_of(seen((0, REACHED), (1, TINY), crowd=(1,)), SPEC)
    assert (found.all.objects, found.all.unreached) == (1, 0)


def test_a_data_set_without_objects_has_nothing_unreached() -> None:
    assert reach_of(seen(), SPEC).all.share == 0.0
