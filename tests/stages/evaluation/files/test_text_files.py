"""Text files per image: on a toy example with known average precision, and written here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import PipelineError
from stages.evaluation.files.text_files import is_text_folder, read_text_files
from stages.evaluation.voc_detections import score


def test_the_average_precisions_of_a_known_toy_example_at_four_ious(real_data: Callable[[str], Path]) -> None:
    """Expected: asserted by the tests of the program that the example is from (expected.json of the real data)."""
    folder = real_data("toy_metrics")
    files = read_text_files(folder / "dets", folder / "gts", corners=False)
    expected = json.loads((folder / "expected.json").read_text())
    assert len(expected["every_point"]) == 4
    for iou, area in expected["every_point"].items():
        result = score(files, iou_threshold=float(iou)).results["object"]
        assert result.ap_area == pytest.approx(area, abs=1e-9)
        assert result.ap_11point == pytest.approx(expected["eleven_point"][iou], abs=1e-9)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A sports car of 20x10 pixels in x, detected; nothing in y, which has no file of detections."""
    found, truth = tmp_path / "found", tmp_path / "truth"
    for folder in (found, truth):
        folder.mkdir()
    (truth / "x.txt").write_text("sports car 100 50 20 10\n\n")
    (truth / "y.txt").write_text("")
    (found / "x.txt").write_text("sports car .9 100 50 20 10\nboat 0.5 1 1 5 5\n")
    return found, truth


def test_a_class_may_contain_blanks_and_what_is_ignored_is_noted(folders: tuple[Path, Path]) -> None:
    files = read_text_files(*folders, corners=False)
    assert (files.classes, files.image_ids) == (("sports car",), ("x", "y"))
    assert files.truth.boxes_xyxy.tolist() == [[100, 50, 120, 60]]
    assert files.notes == (
        "1 detections are of classes without an object: boat",
        "1 of 2 images have no file of detections",
    )
    assert score(files).results["sports car"].ap_area == 1.0


def test_boxes_may_be_corners(folders: tuple[Path, Path]) -> None:
    (folders[1] / "x.txt").write_text("sports car 100 50 120 60\n")
    (folders[0] / "x.txt").write_text("sports car .9 100 50 120 60\n")
    files = read_text_files(*folders, corners=True)
    assert files.truth.boxes_xyxy.tolist() == files.detections.boxes_xyxy.tolist() == [[100, 50, 120, 60]]


@pytest.mark.parametrize(
    ("side", "text", "message"),
    [
        (1, "car 1 2 3\n", r"x.txt, line 1: expected `class x y width height`, got 'car 1 2 3': it has 4 words"),
        (0, "car 0.9 1 2 3 wide\n", r"expected `class score x y width height`.*height is 'wide'"),
        (1, "car 0.1 0.2 0.3 0.4\n", "are fractions of the image, as YOLO writes them"),
        (0, "sports car 0.9 0.1 0.2 0.3 0.4\n", "found are fractions of the image, as YOLO writes them"),
        (1, "", "hold no object"),
        (0, "cars 0.9 1 2 3 4\n", "no detection in .* has a class of .*there is only sports car"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(
    folders: tuple[Path, Path], side: int, text: str, message: str
) -> None:
    (folders[side] / "x.txt").write_text(text)
    with pytest.raises(PipelineError, match=message):
        read_text_files(*folders, corners=False)


def test_a_file_is_no_folder_of_detections_and_a_set_in_voc_layout_no_folder_of_text_files(
    folders: tuple[Path, Path],
) -> None:
    assert is_text_folder(str(folders[1]))
    (folders[1] / "Annotations").mkdir()
    assert not is_text_folder(str(folders[1]))
    with pytest.raises(PipelineError, match="no folder of files per image"):
        read_text_files(folders[0] / "x.txt", folders[1], corners=False)
