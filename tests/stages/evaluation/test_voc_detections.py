"""Detection files of the VOC devkit, on a hand-written folder and on a real detector's output."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import PipelineError
from ssd_core.metrics.voc_ap import mean_result
from stages.evaluation.voc_detections import score_files

if TYPE_CHECKING:
    from tests.stages.conftest import WrittenVoc


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Detections for `voc`: the dog in b is detected; one more in b and one in an unknown image match nothing."""
    folder = tmp_path / "found"
    folder.mkdir()
    (folder / "comp4_det_test_dog.txt").write_text("b 0.9 10 20 50 60\nb 0.8 70 10 90 30\nzz 0.7 1 1 9 9\n")
    return folder


def test_each_class_is_scored_from_its_own_file(voc: WrittenVoc, files: Path) -> None:
    scores = score_files(files, str(voc.root), "test")
    assert scores.results["dog"].ap_11point == 1.0
    assert scores.notes == ("1 detections are on images that split 'test' does not list",)


def test_images_need_not_exist(voc: WrittenVoc, files: Path) -> None:
    for image in (voc.root / "JPEGImages").iterdir():
        image.unlink()
    (voc.root / "JPEGImages").rmdir()
    assert set(score_files(files, str(voc.root), "test").results) == {"dog"}


def test_a_class_without_a_file_is_refused(voc: WrittenVoc, files: Path) -> None:
    with pytest.raises(PipelineError, match=r"needs one file \*_cat\.txt, but has 0"):
        score_files(files, str(voc.root), "train")


def test_a_file_of_a_class_without_objects_is_named_and_skipped(voc: WrittenVoc, files: Path) -> None:
    (files / "comp4_det_test_cat.txt").write_text("b 0.9 1 1 9 9\n")
    notes = score_files(files, str(voc.root), "test").notes
    assert notes[0] == "comp4_det_test_cat.txt: no object of its class is in split 'test'"


def test_a_class_name_may_end_with_another_class_name(voc: WrittenVoc, files: Path) -> None:
    voc.annotation("b", ("dog", 10, 20, 50, 60), ("hot_dog", 60, 10, 90, 40))
    (files / "comp4_det_test_hot_dog.txt").write_text("b 0.9 60 10 90 40\n")
    scores = score_files(files, str(voc.root), "test")
    assert {name: found.ap_11point for name, found in scores.results.items()} == {"dog": 1.0, "hot_dog": 1.0}


@pytest.mark.parametrize("line", ["b 0.9 1 2 3", "b high 1 2 3 4", "b nan 1 2 3 4"])
def test_an_unreadable_line_is_refused_with_its_number(voc: WrittenVoc, files: Path, line: str) -> None:
    (files / "comp4_det_test_dog.txt").write_text(f"b 0.9 10 20 50 60\n{line}\n")
    with pytest.raises(PipelineError, match=r"dog\.txt, line 2"):
        score_files(files, str(voc.root), "test")


def test_detections_that_are_all_on_other_images_are_refused(voc: WrittenVoc, files: Path) -> None:
    (files / "comp4_det_test_dog.txt").write_text("c 0.9 10 20 50 60\n")
    with pytest.raises(PipelineError, match="none of the 1 detections"):
        score_files(files, str(voc.root), "test")


def test_a_real_detector_scores_as_with_the_devkit(real_data: Callable[[str], Path], tmp_path: Path) -> None:
    """Expected numbers: expected.json, by two independent programs on the whole test set and on 400 of its images."""
    source = real_data("voc2007_eval")
    for archive in source.glob("*.tar.xz"):
        with tarfile.open(archive) as packed:
            packed.extractall(tmp_path, filter="data")
    expected = json.loads((source / "expected.json").read_text())["sets"]["dets_tinyyolov2_qfdong"]["classes"]
    found = score_files(tmp_path / "dets_tinyyolov2_qfdong", str(tmp_path / "VOC2007"), "test").results
    assert mean_result(list(found.values())).ap_11point == pytest.approx(0.5397, abs=5e-5)
    for name, numbers in expected.items():
        assert found[name].ap_11point == pytest.approx(numbers["stored_ap07"], abs=1e-4)
        assert found[name].ap_area == pytest.approx(numbers["ap_area"], abs=1e-4)
        assert found[name].objects == numbers["n_gt"]
