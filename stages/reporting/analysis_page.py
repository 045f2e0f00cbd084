"""The page of an analysis: tables and figures with an explanation of each kind of error, in one HTML file.

Tested in tests/experiments/cli/test_analyze.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stages.analysis.document import Document
from stages.analysis.hoiem_trends_figure import COLOURS
from stages.analysis.judging import tide_figure
from stages.reporting.grid import Grid, plain_grid
from stages.reporting.rendering import render

PAGE = "analysis.html"

HOIEM = {
    "Cor": "correct: the first detection of an object of its class with the IoU or more",
    "Loc": "wrong place or duplicate: an IoU of at least 0.1 with an object of its class",
    "Sim": "similar class: an IoU of at least 0.1 with an object of a similar class",
    "Oth": "other class: an IoU of at least 0.1 with an object of any other class",
    "BG": "background: an IoU below 0.1 with every object",
}
TIDE = {
    "Cls": "wrong class: the IoU is reached, with an object of another class",
    "Loc": "wrong place: an IoU between 0.1 and that of a correct detection, with an object of its class",
    "Both": "wrong class and place: an IoU above 0.1 with an object, but none of the other kinds",
    "Dupe": "duplicate: the IoU is reached, but a better detection has the object",
    "Bkg": "background: an IoU of at most 0.1 with every object",
    "Miss": "missed: an object that no detection has, nor a Cls or Loc could have",
}


def page(document: Document, figures: Mapping[str, bytes], pictures: Mapping[str, bytes]) -> str:
    """Render the page; `figures` are SVG by name, `pictures` JPEG of detections."""
    return render(
        "analysis.html",
        title="What the detector gets wrong",
        headline=f"{document['images']:,} images, {len(document['sensitivity'])} classes with objects; a detection is "
        f"correct from an IoU of {document['iou']:g}.",
        tide=_tide(document["tide"]),
        tide_kinds=[(name, tide_figure.COLOURS[name], text) for name, text in TIDE.items()],
        hoiem_kinds=[(name, COLOURS[name], text) for name, text in HOIEM.items()],
        suspects=suspects(document["suspects"]),
        figures=figures,
        pictures=pictures,
    )


def _tide(found: Document) -> Grid:
    rows = [(name, f"{item['count']:,}", f"{100 * item['dAP']:.2f}") for name, item in found["errors"].items()]
    rows.append(("all false positives", "", f"{100 * found['false_positives']:.2f}"))
    rows.append(("all false negatives", "", f"{100 * found['false_negatives']:.2f}"))
    return plain_grid(("error", "number", "AP lost, points"), rows, "")


def suspects(listed: Sequence[Document]) -> Grid | None:
    """Annotations that are probably wrong, one a row; None without any."""
    rows = [
        (
            item["image"],
            item["fault"],
            item["annotated"] or "",
            item["detected"],
            f"{item['suspicion']:.2f}",
            " ".join(f"{value:g}" for value in item["box"]),
        )
        for item in listed
    ]
    return plain_grid(("image", "fault", "annotated", "detected", "suspicion", "box"), rows, "") if rows else None
