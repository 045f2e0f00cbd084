"""The experiment on released weights: the files that it needs, and its graph when they exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.framework.loading import load_experiment
from experiments.framework.names import experiment_names
from experiments.framework.presets import Preset
from experiments.import_check import RELEASED, experiment
from pipeline.errors import PipelineError
from pipeline.planning.graph import Graph
from ssd_core.weights.layouts.layout import ImportChoices
from stages.evaluation.evaluate import Evaluate
from stages.tables.tabulate import tabulate
from stages.tables.text import as_text
from stages.training.initial import WeightsFile
from stages.training.train import Train

FULL = Preset()


def test_it_is_an_experiment_like_the_others() -> None:
    assert "import-check" in experiment_names()
    assert load_experiment("import-check") is experiment


def test_without_a_file_it_lists_the_known_files_and_the_folder(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("SSDPIPE_WEIGHTS", str(tmp_path))
    with pytest.raises(PipelineError) as raised:
        experiment.table(FULL)
    assert f"{tmp_path} holds none of them; set SSDPIPE_WEIGHTS" in str(raised.value)
    assert all(released.file in str(raised.value) for released in RELEASED)
    assert "ssdpipe evaluate weights FILE" in str(raised.value)


def test_each_existing_file_is_a_row_with_its_published_number(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("SSDPIPE_WEIGHTS", str(tmp_path))
    fine_tuned = "VGG_VOC0712_SSD_512x512_ft_iter_120000.caffemodel"
    for name in (fine_tuned, "ssd300_mAP_77.43_v2.pth"):
        (tmp_path / name).write_bytes(name.encode())
    table = experiment.table(FULL)
    assert [(cell.row, cell.boxes, cell.published) for cell in table.cells] == [
        ("Caffe SSD512* from COCO", 24564, 0.832),
        ("ssd.pytorch SSD300, trained", 8732, 0.7743),
    ]
    stages = [node.stage for node in Graph([table]).nodes.values()]
    assert not [stage for stage in stages if isinstance(stage, Train)]
    assert len([stage for stage in stages if isinstance(stage, Evaluate)]) == 2
    files = {stage.variant: stage for stage in stages if isinstance(stage, WeightsFile)}
    assert files[Path(fine_tuned).stem].choices == ImportChoices(layout="caffe", scales="coco")


def test_its_table_attributes_the_numbers_to_the_authors(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("SSDPIPE_WEIGHTS", str(tmp_path))
    (tmp_path / "vgg_ssd300_voc0712.pth").write_bytes(b"file")
    table = experiment.table(FULL)
    text = as_text(table, tabulate(table, [[]]))
    assert "author" in text
    assert "paper" not in text
    assert "lufficc SSD300   8732    77.7  not run" in " ".join(text.splitlines()[-1:])


@pytest.mark.parametrize(
    ("preset", "options"), [(Preset(name="tiny"), {}), (FULL, {"seeds": 2}), (FULL, {"column": "no"})]
)
def test_it_has_no_other_presets_seeds_or_columns(preset, options) -> None:
    with pytest.raises(PipelineError, match="trains nothing"):
        experiment.table(preset, **options)
