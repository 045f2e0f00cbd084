"""Numbers of other implementations stand beside the rows of the paper's own presets, each with its page."""

from __future__ import annotations

from pathlib import Path

from experiments.cli.compare import document
from experiments.cli.requests import ExperimentRequest
from experiments.cli.shared.table_text import table_text
from experiments.framework.comparison import StoredExperiment
from experiments.framework.elsewhere import elsewhere_lines
from experiments.framework.runs import RUNS
from experiments.published.elsewhere import REPORTED
from pipeline.store.store import Store
from stages.placement import Placement


def test_every_number_is_a_fraction_of_a_known_run_with_the_page_that_it_was_read_on() -> None:
    for (run, metric), numbers in REPORTED.items():
        assert run in RUNS
        assert metric in ("voc07/mAP", "coco/AP")
        assert all(0 < each.value < 1 and each.source.startswith("https://") for each in numbers)
        assert len({each.who for each in numbers}) == len(numbers)


def test_rows_of_small_detectors_have_no_number_of_others() -> None:
    request = ExperimentRequest(experiment="small-object-augmentation", preset="tiny")
    assert elsewhere_lines(request.target(Placement())) == []


def test_they_are_printed_below_the_table_and_are_in_the_json_of_compare(tmp_path: Path) -> None:
    request = ExperimentRequest(experiment="small-object-augmentation", column="VOC07 07+12")
    table, store = request.target(Placement()), Store.open(str(tmp_path))
    stored = StoredExperiment.of([table], store, missing_allowed=True)  # the photographs are not here
    text = table_text(stored, ["batch_size=16"])
    assert "Reported elsewhere: SSD300*, VOC07 07+12: 77.8 lufficc/SSD, 76.5 mmdetection (120 epochs)" in text
    assert text.endswith("Settings changed: batch_size=16.\n")
    cells = {cell["row"]: [each["value"] for each in cell["elsewhere"]] for cell in document(stored)["cells"]}
    assert cells == {"SSD300": [], "SSD512": [], "SSD300*": [0.7783, 0.765, 0.778], "SSD512*": [0.8025, 0.795, 0.797]}
