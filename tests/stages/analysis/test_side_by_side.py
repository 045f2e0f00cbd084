"""Several detectors in one figure, drawn by stages from the files of analyses and evaluations."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from pipeline.stage import Context, Stage
from pipeline.store.record import SUMMARY
from stages.analysis.document import ANALYSIS
from stages.analysis.draw_coco_sizes import DrawCocoSizes
from stages.analysis.draw_sensitivities import DrawSensitivities

ONE = {"value": 0.5, "error": 0.1, "objects": 4}
DOCUMENT = {"sensitivity": {"cat": {"overall": ONE, "area": [ONE] * 5, "aspect": [ONE] * 5}}}
SIZES = {"coco/APs": 0.053, "coco/APm": -1.0, "coco/APl": 0.396}


@dataclass(frozen=True, kw_only=True)
class Written(Stage):
    """A result written by a test."""

    number: int

    def run(self, ctx: Context) -> None: ...


@pytest.fixture
def drawn_from(in_process):
    """The files that a stage draws from two results, each with one document."""

    def run(stage, inputs, file, document):
        folders = {}
        for source in inputs:
            folders[source] = in_process(source, f"input{source.number}").out
            folders[source].write_json(file, document)
        context = in_process(stage, "figure", folders)
        stage.run(context)
        return {name: context.out.read_bytes(name) for name in stage.artifacts()}

    return run


@pytest.mark.parametrize(
    ("kind", "field", "file", "document", "options"),
    [
        (DrawSensitivities, "analyses", ANALYSIS, DOCUMENT, {"shown": ("cat", "dog")}),
        (DrawCocoSizes, "evaluations", SUMMARY, SIZES, {}),
    ],
)
def test_a_figure_names_each_detector_and_is_written_as_png_and_svg(drawn_from, kind, field, file, document, options):
    inputs = Written(number=1), Written(number=2)
    stage = kind(**{field: inputs}, titles=("SSD300", "SSD512"), **options)
    png, svg = drawn_from(stage, inputs, file, document).values()
    assert png.startswith(b"\x89PNG")
    assert b"SSD300" in svg
    assert b"SSD512" in svg


def test_each_detector_needs_a_title(drawn_from):
    (only,) = inputs = (Written(number=1),)
    with pytest.raises(ValueError, match="zip"):
        drawn_from(DrawCocoSizes(evaluations=(only,), titles=("SSD300", "SSD512")), inputs, SUMMARY, SIZES)
