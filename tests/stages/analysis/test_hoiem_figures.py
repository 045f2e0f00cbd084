"""Content of the analysis figures, read from the figure objects."""

from __future__ import annotations

import pytest
from matplotlib.colors import to_rgb

from stages.analysis.confusion_figure import confusion_figure
from stages.analysis.hoiem_sensitivity_figure import sensitivity_figure
from stages.analysis.hoiem_trends_figure import COLOURS, trends_figure
from stages.figures.coco_sizes import coco_sizes_figure
from stages.figures.style import png_and_svg

TREND = {
    "objects": 357,
    "ticks": [0.5, 1.0, 2.0],
    "Cor": [1.0, 0.5, None],
    "Loc": [0.0, 0.2, None],
    "Sim": [0.0, 0.1, None],
    "Oth": [0.0, 0.1, None],
    "BG": [0.0, 0.1, None],
    "recall": [0.2, 0.4, 0.4],
    "weak_recall": [0.3, 0.5, 0.5],
}
FALSE_POSITIVES = {"ticks": [25, 50], "Loc": [0.4, 0.5], "Sim": [0.3, 0.2], "Oth": [0.2, 0.2], "BG": [0.1, 0.1]}
ONE = {"value": 0.5, "error": 0.1, "objects": 4}
SENSITIVITY = {"overall": ONE, "area": [{**ONE, "value": None}, *[ONE] * 4], "aspect": [ONE] * 5}


def test_colours_are_those_of_the_original_tool():
    # RGB of 255; the green row is multiplied by 1.2
    tool = {"Loc": (79, 129, 189), "Sim": (192, 80, 77), "Oth": (92, 230, 96), "BG": (128, 100, 162)}
    assert to_rgb(COLOURS["Cor"]) == (1, 1, 1)
    for kind, colour in tool.items():
        assert [round(255 * part) for part in to_rgb(COLOURS[kind])] == list(colour)


def test_each_group_has_a_column_with_its_unit_and_recall_in_percent():
    document = {"groups": {name: {"detections": TREND, "false_positives": FALSE_POSITIVES} for name in ("a", "b")}}
    figure = trends_figure(document)
    assert len(figure.axes) == 4
    above = figure.axes[0]
    assert above.get_xlabel() == "total detections (x 357)"
    strong, weak = above.lines
    assert list(strong.get_ydata()) == [20, 40, 40]
    assert weak.get_linestyle() == "--"
    assert figure.axes[2].get_xlabel() == "total false positives"
    assert not figure.axes[2].texts


def test_a_chart_without_enough_false_positives_says_so_instead_of_being_empty():
    few = {"ticks": [25, 50]} | {kind: [None, None] for kind in ("Loc", "Sim", "Oth", "BG")}
    figure = trends_figure({"groups": {"a": {"detections": TREND, "false_positives": few}}})
    assert [text.get_text() for text in figure.axes[1].texts] == ["fewer than 25"]


def test_each_detector_has_a_row_and_bins_without_objects_are_omitted():
    document = {"sensitivity": {"cat": SENSITIVITY}}
    figure = sensitivity_figure({"SSD300": document, "SSD512": document}, shown=("cat", "dog"), properties=("area",))
    assert [axes.get_title() for axes in figure.axes] == ["SSD300: BBox Area", "SSD512: BBox Area"]
    overall, line = figure.axes[0].lines[:2]
    assert overall.get_linestyle() == "--"
    assert list(line.get_xdata()) == [1, 2, 3, 4]  # XS has no object


def test_the_values_stand_below_the_curves_where_no_curve_or_error_bar_is():
    axes = sensitivity_figure({"": {"sensitivity": {"cat": SENSITIVITY}}}, shown=("cat",), properties=("area",)).axes[0]
    values = [text for text in axes.texts if text.get_text() == "0.50"]
    assert [text.get_position()[0] for text in values] == [1, 2, 3, 4]
    assert {(text.get_va(), text.get_rotation()) for text in values} == {("top", 90)}
    assert max(text.get_position()[1] for text in values) < 0


def test_the_numbers_of_a_confusion_matrix_are_the_percentages_of_its_colours():
    counts = [[999, 0, 1], [1, 2, 3], [5, 5, 0]]
    document = {"classes": ["cat", "dog"], "confusion": {"counts": counts, "score": 0.3}}
    axes = confusion_figure(document).axes[0]
    colours = axes.images[0].get_array()
    shown = {(text.get_position()[1], text.get_position()[0]): text.get_text() for text in axes.texts}
    assert shown == {
        (0, 0): "99", (0, 2): "<1", (1, 0): "17", (1, 1): "33", (1, 2): "50", (2, 0): "50", (2, 1): "50"
    }  # fmt: skip
    assert colours[1].tolist() == [1 / 6, 2 / 6, 3 / 6]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cat  1,000", "dog  6", "background  10"]


def test_a_size_without_objects_has_no_bar():
    figure = coco_sizes_figure({"SSD300": {"coco/APs": 0.053, "coco/APm": -1.0, "coco/APl": 0.396}})
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert heights == pytest.approx([5.3, 0, 39.6])
    assert [text.get_text() for text in figure.axes[0].texts] == ["5.3", "none", "39.6"]


def test_figure_files_have_the_format_of_their_suffix():
    files = png_and_svg(coco_sizes_figure({"a": {}}))
    assert files["png"].startswith(b"\x89PNG")
    assert b"<svg" in files["svg"]
