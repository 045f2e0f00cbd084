"""Content of the drawings of networks and default boxes, read from the figure objects."""

from __future__ import annotations

from ssd_core.boxes.default_boxes import default_boxes
from ssd_core.boxes.frames import pairwise_iou, to_xyxy
from ssd_core.network.layer_table import layer_table
from ssd_core.spec.paper import ssd300, with_resnet50
from stages.analysis.draw_architecture import ARCHITECTURE, LAYERS, DrawArchitecture
from stages.analysis.draw_default_boxes import DEFAULT_BOXES, DrawDefaultBoxes
from stages.figures.architecture import architecture_figure, head_text, path_text
from stages.figures.default_boxes import SPEC, default_boxes_figure, example_image, matched


def test_the_drawing_of_ssd300_has_the_numbers_of_figure_2():
    figure = architecture_figure(layer_table(ssd300()), "SSD300")
    texts = {text.get_text() for text in figure.axes[0].texts}
    assert {"image\n300×300×3", "conv4_3\n38×38×512", "conv7\n19×19×1024", "conv11_2\n1×1×256"} <= texts
    assert "8,732 boxes for each of 20 classes, then non-maximum suppression" in texts
    assert "conv8_1\n1×1×256\nconv8_2\n3×3×512, stride 2" in texts


def test_a_head_is_written_as_in_the_paper():
    conv4_3 = layer_table(ssd300()).maps[0]
    assert head_text(conv4_3, 21) == "4 boxes per cell\n3×3×(4×(21+4))\n5,776 boxes"


def test_equal_convolutions_share_a_line_and_too_many_are_only_counted():
    vgg, resnet = layer_table(ssd300()), layer_table(with_resnet50(ssd300()))
    assert path_text(vgg.maps[1].convolutions).split("\n") == [
        "conv5_1–conv5_3", "3×3×512", "conv6", "3×3×1024, dilation 6", "conv7", "1×1×1024",
    ]  # fmt: skip
    assert path_text(resnet.maps[1].convolutions).endswith("convolutions")


def test_everything_drawn_lies_inside_the_figure():
    figure = architecture_figure(layer_table(ssd300()), "SSD300")
    figure.canvas.draw()
    frame = figure.bbox
    for text in figure.axes[0].texts:
        box = text.get_window_extent()
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1, text.get_text()  # noqa: PT018 - one place
        assert frame.y0 <= box.y0 and box.y1 <= frame.y1, text.get_text()  # noqa: PT018


def test_the_small_object_is_matched_on_the_fine_map_and_the_large_one_on_the_coarse_map():
    owners = matched(example_image().boxes_xyxy)
    fine = 8 * 8 * 4
    assert {owner for owner in owners[:fine] if owner >= 0} == {0}
    assert {owner for owner in owners[fine:] if owner >= 0} == {1}


def test_matched_boxes_are_drawn_at_their_position_in_the_colour_of_their_object():
    example = example_image()
    overlaps = pairwise_iou(example.boxes_xyxy[None], to_xyxy(default_boxes(SPEC)))[0]
    reached = (overlaps >= 0.5).any(dim=0).sum().item()
    _, fine, coarse = default_boxes_figure().axes
    solid = [patch for axes in (fine, coarse) for patch in axes.patches if patch.get_linestyle() == "-"]
    assert len(solid) == reached
    assert len({patch.get_edgecolor() for patch in fine.patches if patch.get_linestyle() == "-"}) == 1


def test_the_stages_write_both_formats_and_the_numbers(in_process):
    drawing = DrawArchitecture(spec=ssd300(), title="SSD300")
    context = in_process(drawing, "network")
    drawing.run(context)
    assert context.out.read_json(LAYERS)["maps"][0]["side"] == 38
    assert context.out.read_bytes(f"{ARCHITECTURE}.png").startswith(b"\x89PNG")
    boxes = DrawDefaultBoxes()
    context = in_process(boxes, "boxes")
    boxes.run(context)
    assert b"<svg" in context.out.read_bytes(f"{DEFAULT_BOXES}.svg")
    assert set(context.out.files()) == set(boxes.artifacts())
