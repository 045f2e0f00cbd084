"""The entries and figures of an analysis that judge each detection, on a scene of two images."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import PipelineError
from ssd_core.metrics.voc_ap import ScoredBoxes, TrueBoxes
from stages.analysis.analysis import AnalysisOptions, analyse, summarise
from stages.analysis.judging.calibration_figure import calibration_figure
from stages.analysis.judging.precision_recall_figure import precision_recall_figure
from stages.analysis.judging.tide_figure import tide_figure
from stages.reporting.analysis_page import page

A, A_SHIFTED_BY_3, B = (1, 1, 10, 10), (4, 1, 13, 10), (41, 41, 60, 60)  # the first two have an IoU of 0.54


def document(*, scores=(0.9, 0.8, 0.2), **options):
    """A cat in each image; the first is detected by 0.54; of the second the dog, and there is one more dog."""
    truth = TrueBoxes(
        images=np.array([0, 1]),
        labels=np.zeros(2, int),
        boxes_xyxy=np.array([A, A], float),
        difficult=np.zeros(2, bool),
    )
    detections = ScoredBoxes(
        images=np.array([0, 1, 1]),
        labels=np.array([0, 1, 1]),
        scores=np.array(scores),
        boxes_xyxy=np.array([A_SHIFTED_BY_3, A, B], float),
    )
    return analyse(detections, truth, classes=("cat", "dog"), image_ids=("x", "y"), options=AnalysisOptions(**options))


def test_the_entries_of_a_small_scene() -> None:
    entries = document()
    assert {name: item["count"] for name, item in entries["tide"]["errors"].items() if item["count"]} == {
        "Cls": 1,
        "Bkg": 1,
    }
    assert entries["precision_recall"] == {"cat": {"AP": 0.5, "recall": [0.5], "precision": [1.0]}}
    assert entries["calibration"]["error"] == pytest.approx((0.1 + 0.8 + 0.2) / 3)
    assert entries["calibration"]["error_above"] == pytest.approx((0.1 + 0.8) / 2)
    assert entries["suspects"] == [
        {"image": "y", "fault": "class", "annotated": "cat", "detected": "dog", "suspicion": 0.8, "box": [*A]},
        {"image": "y", "fault": "missing", "annotated": None, "detected": "dog", "suspicion": 0.2, "box": [*B]},
    ]


def test_a_stricter_iou_makes_errors_of_place_and_enters_all_parts() -> None:
    entries = document(iou=0.75)
    assert (entries["iou"], entries["tide"]["errors"]["Loc"]["count"]) == (0.75, 1)
    assert entries["precision_recall"]["cat"]["AP"] == 0
    assert entries["groups"]["all"]["detections"]["Loc"][2] == 1
    assert entries["confusion"]["counts"][0] == [0, 1, 1]


def test_an_iou_that_background_reaches_is_refused() -> None:
    with pytest.raises(PipelineError, match=r"must be above 0\.1"):
        document(iou=0.1)


def test_the_summary_holds_the_costs_and_the_calibration_error_where_there_is_one() -> None:
    summary = summarise(document())
    assert summary["calibration/ECE"] == pytest.approx(1.1 / 3)
    assert {name for name in summary if name.startswith("tide/")} == {
        f"tide/dAP/{name}" for name in ("Cls", "Loc", "Both", "Dupe", "Bkg", "Miss")
    }
    assert "calibration/ECE" not in summarise(document(scores=(7.0, 1.0, -3.0)))


def test_figures_show_the_numbers_of_the_document() -> None:
    entries = document()
    assert [bar.get_width() for bar in tide_figure(entries).axes[0].patches] == pytest.approx(
        [100 * item["dAP"] for item in entries["tide"]["errors"].values()][::-1]
    )
    (axes,) = precision_recall_figure(entries, shown=("cat", "dog")).axes
    assert axes.get_title("left") == "cat  50.0"
    np.testing.assert_allclose(axes.lines[0].get_xydata().ravel(), [0.0, 1.0, 0.5, 0.0])
    above, below = calibration_figure(entries).axes
    assert [bar.get_height() for bar in above.patches] == [0, 0, 0, 0, 0, 0, 0, 0, 1, 0]
    assert [bar.get_height() for bar in below.patches] == [0, 1, 0, 0, 0, 0, 0, 1, 1, 0]


@pytest.mark.parametrize(("number", "drawn", "label"), [(20, 20, "recall"), (21, 2, "recall (2 of 21 classes)")])
def test_all_classes_have_a_curve_unless_they_are_too_many_and_the_figure_says_so(number, drawn, label) -> None:
    curve = document()["precision_recall"]["cat"]
    entries = {"iou": 0.5, "precision_recall": {f"class {at}": curve for at in range(number)}}
    figure = precision_recall_figure(entries, shown=("class 3", "class 5", "no object"))
    assert len([axes for axes in figure.axes if axes.get_title("left")]) == drawn
    assert figure.get_supxlabel() == label


def test_scores_that_are_no_probabilities_have_a_figure_that_says_so() -> None:
    above, _ = calibration_figure(document(scores=(7.0, 1.0, -3.0))).axes
    assert above.get_title("left") == "scores are not between 0 and 1"


def test_a_page_without_suspects_says_so() -> None:
    entries = document() | {"suspects": []}
    names = ("trends", "sensitivity", "confusion", "tide", "precision-recall", "calibration")
    assert "<p>None.</p>" in page(entries, dict.fromkeys(names, b"<svg/>"), {})
