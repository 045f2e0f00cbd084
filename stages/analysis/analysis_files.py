"""The files of an analysis: its document, its summary and its figures.

Tested in tests/stages/analysis/test_analysis.py.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from pipeline.folder import Folder
from pipeline.store.record import SUMMARY
from ssd_core.data.shards import ShardSet
from stages.analysis.analysis import AnalysisOptions, analyse, summarise
from stages.analysis.confusion_figure import confusion_figure
from stages.analysis.document import ANALYSIS, Document
from stages.analysis.hoiem_sensitivity_figure import sensitivity_figure
from stages.analysis.hoiem_trends_figure import trends_figure
from stages.analysis.judging.calibration_figure import calibration_figure
from stages.analysis.judging.precision_recall_figure import precision_recall_figure
from stages.analysis.judging.tide_figure import tide_figure
from stages.evaluation.boxes import stored_boxes, true_boxes
from stages.figures.style import png_and_svg

FIGURES = ("trends", "sensitivity", "confusion", "tide", "precision-recall", "calibration")

MOST_SHOWN = 8
"""Number of classes that a figure can show side by side, unless they are named: the first with objects."""


def analyse_shards(
    detections: Folder, shards: Folder, out: Folder, *, options: AnalysisOptions, shown: Sequence[str]
) -> None:
    """Analyse one detector on one set of shards and write the files."""
    rows = ShardSet(shards.path, shards.filesystem)
    numbers, truth = true_boxes(rows)
    boxes = stored_boxes(detections, numbers)
    document = analyse(boxes, truth, classes=rows.classes, image_ids=list(numbers), options=options)
    write_files(document, out, shown=shown)


def write_files(document: Document, out: Folder, *, shown: Sequence[str] = ()) -> list[str]:
    """Write all files of an analysis to `out` and return their names."""
    out.write_bytes(ANALYSIS, json.dumps(document, indent=1).encode())  # groups and classes keep their order
    out.write_json(SUMMARY, summarise(document))
    classes = shown or list(document["sensitivity"])[:MOST_SHOWN]
    drawn = (
        trends_figure(document),
        sensitivity_figure({"": document}, shown=classes),
        confusion_figure(document),
        tide_figure(document),
        precision_recall_figure(document, shown=classes),
        calibration_figure(document),
    )
    written = [ANALYSIS, SUMMARY]
    for name, figure in zip(FIGURES, drawn, strict=True):
        for suffix, content in png_and_svg(figure).items():
            out.write_bytes(f"{name}.{suffix}", content)
            written.append(f"{name}.{suffix}")
    return written
