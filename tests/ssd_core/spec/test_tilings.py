"""Box counts in Tables 2 and 3 of the paper; counts within the image follow from the rules in double precision."""

import pytest

from ssd_core.boxes.default_boxes import default_boxes
from ssd_core.boxes.frames import inside_image, to_xyxy
from ssd_core.spec.paper import ssd300
from ssd_core.spec.tilings import Sized, Stacked, tiled, without_ratios


def stacked(**scales):
    return tuple(Stacked(layer=layer, scales=count) for layer, count in scales.items())


ROWS = {
    8732: (stacked(conv4_3=1, conv7=1, conv8_2=1, conv9_2=1, conv10_2=1, conv11_2=1), 5863),
    8764: (stacked(conv4_3=1, conv7=1, conv8_2=1, conv9_2=1, conv10_2=2), 5863),
    8942: (stacked(conv4_3=1, conv7=1, conv8_2=2, conv9_2=2), 5855),
    9864: (stacked(conv4_3=1, conv7=2, conv8_2=3), 5810),
    9025: ((Stacked(layer="conv4_3"), Stacked(layer="conv7", scales=3, large_square=False)), 5648),
    8664: (
        (
            Sized(
                layer="conv7",
                # the author's sizes in pixels of 300: 40, 100, 180, 260 with 100, 180, 240, 340 after them
                sizes=((40 / 300, 100 / 300), (100 / 300, 180 / 300), (180 / 300, 240 / 300), (260 / 300, 340 / 300)),
                ratios=(2, 3),
            ),
        ),
        2524,
    ),
}


@pytest.mark.parametrize("boxes", ROWS)
def test_each_row_of_table_3_has_the_printed_number_of_boxes(boxes):
    tiling, inside = ROWS[boxes]
    spec = tiled(ssd300(), tiling)
    assert spec.box_count == boxes
    assert inside_image(to_xyxy(default_boxes(spec))).sum() == inside


def test_without_a_third_and_three_each_cell_has_four_boxes():
    spec = without_ratios(ssd300(), 3)
    assert {source.boxes_per_cell for source in spec.sources} == {4}
    assert len(default_boxes(spec)) == spec.box_count == 7760  # 4 * (38**2 + 19**2 + 10**2 + 5**2 + 3**2 + 1)


def test_without_rectangular_boxes_each_cell_has_two_squares():
    spec = without_ratios(ssd300(), 2, 3)
    assert len(default_boxes(spec)) == spec.box_count == 3880
    assert (default_boxes(spec)[:, 2] == default_boxes(spec)[:, 3]).all()


def test_dropping_shapes_changes_nothing_else():
    spec = without_ratios(ssd300(), 2)
    assert [[scale.size for scale in source.scales] for source in spec.sources] == [
        [scale.size for scale in source.scales] for source in ssd300().sources
    ]
    assert [source.boxes_per_cell for source in spec.sources] == [2, 4, 4, 4, 2, 2]


def test_a_ratio_that_no_box_has_is_refused():
    with pytest.raises(ValueError, match=r"no default box has the ratio \[4\]; this specification has \[2.0, 3.0\]"):
        without_ratios(ssd300(), 2, 4)


def test_six_layers_with_one_scale_each_are_the_detector_itself():
    assert tiled(ssd300(), ROWS[8732][0]) == ssd300()


def test_scales_go_to_the_layers_from_the_smallest_up():
    conv4_3, conv7, conv8_2 = tiled(ssd300(), ROWS[9864][0]).sources
    assert [[scale.size for scale in source.scales] for source in (conv4_3, conv7, conv8_2)] == [
        [30],
        [60, 111],
        [162, 213, 264],
    ]
    assert conv7.step == 16


def test_a_layer_that_shares_several_scales_gives_each_four_boxes():
    _, conv7, _ = tiled(ssd300(), ROWS[9864][0]).sources
    assert [scale.boxes_per_cell for scale in conv7.scales] == [4, 4]


def test_explicit_sizes_are_fractions_of_any_input(narrow_spec):
    spec = tiled(narrow_spec, (Sized(layer="conv7", sizes=((0.25, 0.5),), ratios=(2,)),))
    assert [(scale.size, scale.next_size) for scale in spec.sources[0].scales] == [(32, 64)]


def test_a_layer_that_is_not_a_source_is_refused_with_the_names_of_the_sources():
    with pytest.raises(ValueError, match=r"conv5_3.*conv4_3, conv7"):
        tiled(ssd300(), stacked(conv5_3=1))


def test_more_scales_than_the_specification_has_are_refused():
    with pytest.raises(ValueError, match="conv7 takes 6 scales, but the specification has only 5 left"):
        tiled(ssd300(), stacked(conv4_3=1, conv7=6))
