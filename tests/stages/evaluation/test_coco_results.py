"""COCO result files: the official demonstration, unusual pairs, and invalid files.

Expected numbers: expected.json of the real data `coco_eval` (from cocodataset/cocoapi), or pycocotools itself on the
files with ids of one type.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from pipeline.errors import PipelineError
from ssd_core.metrics.bootstrap import COCO_LEVELS, replicate_map
from stages.evaluation.coco_ap import NUMBERS
from stages.evaluation.coco_results import score_result_file

Write = Callable[[Any, Any], tuple[Path, Path]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write detections and annotations to files, returned in this order."""

    def to_files(detections: Any, annotations: Any) -> tuple[Path, Path]:
        files = tmp_path / "detections.json", tmp_path / "annotations.json"
        for file, content in zip(files, (detections, annotations), strict=True):
            file.write_text(json.dumps(content))
        return files

    return to_files


def annotated(*objects: dict[str, Any], images: tuple[Any, ...] = (7,)) -> dict[str, Any]:
    return {
        "images": [{"id": image} for image in images],
        "categories": [{"id": 18, "name": "dog"}, {"id": 1, "name": "person"}],
        "annotations": [
            {"image_id": 7, "category_id": 18, "bbox": BOX, "id": number, **item}
            for number, item in enumerate(objects, start=1)
        ],
    }


def detection(**fields: Any) -> dict[str, Any]:
    return {"image_id": 7, "category_id": 18, "bbox": BOX, "score": 0.5, **fields}


BOX = [10, 20, 50, 40]  # 2000 square pixels: medium


def official(detections: Any, truth: Any) -> list[float]:
    with contextlib.redirect_stdout(io.StringIO()):
        gold = COCO()
        gold.dataset = truth
        gold.createIndex()
        judged = COCOeval(gold, gold.loadRes(detections), "bbox")
        judged.evaluate()
        judged.accumulate()
        judged.summarize()
    return [float(value) for value in judged.stats]


def as_stats(numbers: dict[str, float]) -> list[float]:
    """Metrics as pycocotools returns them: -1 if undefined."""
    return [-1.0 if math.isnan(numbers[name]) else numbers[name] for name in NUMBERS]


def test_the_official_demonstration_gives_its_twelve_published_numbers(real_data: Callable[[str], Path]) -> None:
    folder = real_data("coco_eval")
    expected = json.loads((folder / "expected.json").read_text())["stats"]
    scores = score_result_file(
        folder / "instances_val2014_fakebbox100_results.json", folder / "instances_val2014_100.json"
    )
    assert as_stats(scores.result.numbers) == pytest.approx(expected, abs=1e-9)
    assert scores.notes == ()
    assert np.nanmean(scores.result.ap_per_class) == pytest.approx(expected[0], abs=1e-12)
    assert len(scores.classes) == 80


def test_the_outcomes_reproduce_the_average_precision(real_data: Callable[[str], Path]) -> None:
    folder = real_data("coco_eval")
    result = score_result_file(
        folder / "instances_val2014_fakebbox100_results.json", folder / "instances_val2014_100.json"
    ).result
    assert len(result.outcomes) == 80 * 10
    (value,) = replicate_map(result.outcomes, np.ones((1, 100), np.int64), COCO_LEVELS)
    assert value == pytest.approx(result.numbers["AP"], abs=1e-9)


def test_image_ids_as_text_and_as_numbers_are_equal_and_detections_on_crowds_are_ignored(
    real_data: Callable[[str], Path],
) -> None:
    """pycocotools alone would judge one of the fourteen objects: the others are on 2299, the image is "2299"."""
    folder = real_data("coco_eval") / "extra"
    found, truth = (json.loads((folder / f"{name}_ignore_test.json").read_text()) for name in ("dt", "gt"))
    for item in truth["annotations"]:
        item["image_id"] = 2299
    truth["images"][0]["id"] = 2299
    scores = score_result_file(folder / "dt_ignore_test.json", folder / "gt_ignore_test.json")
    assert as_stats(scores.result.numbers) == pytest.approx(official(found, truth), abs=1e-12)
    assert scores.notes == (
        'gt_ignore_test.json: some image ids are text; 42 and "42" count as equal',
        "gt_ignore_test.json: element, field or column that is not read "
        "(annotations: field 'ignore', 13 times, first in annotations[0])",  # pycocotools does not read it either
    )


def test_a_pair_with_categories_other_than_coco_s_scores_as_in_pycocotools(
    real_data: Callable[[str], Path],
) -> None:
    folder = real_data("coco_eval") / "extra"
    found, truth = (json.loads((folder / f"{name}_dataset.json").read_text()) for name in ("dt", "gt"))
    scores = score_result_file(folder / "dt_dataset.json", folder / "gt_dataset.json")
    assert as_stats(scores.result.numbers) == pytest.approx(official(found, truth), abs=1e-12)
    assert scores.classes == ("cloud", "heart", "arrow", "star")


def test_an_object_whose_id_is_zero_can_be_matched(write: Write) -> None:
    """pycocotools treats a match with id 0 as no match and would give 0."""
    scores = score_result_file(*write([detection()], annotated({"id": 0})))
    assert scores.result.numbers["AP"] == pytest.approx(1)


def test_classes_are_ordered_by_id_and_those_without_objects_have_no_score(write: Write) -> None:
    scores = score_result_file(*write([detection()], annotated({})))
    assert scores.classes == ("person", "dog")
    np.testing.assert_allclose(scores.result.ap_per_class, [np.nan, 1.0])
    assert math.isnan(scores.result.numbers["APs"])


def test_annotations_and_detections_on_unlisted_images_are_ignored_with_a_note(write: Write) -> None:
    files = write([detection(), detection(image_id=8)], annotated({}, {"image_id": 9}))
    scores = score_result_file(*files)
    assert scores.result.numbers["AP"] == pytest.approx(1)
    assert scores.notes == (
        "annotations.json: 1 annotations are on images it does not list: ignored",
        "1 detections are on images that annotations.json does not list: ignored",
    )


def test_no_detections_score_zero(write: Write) -> None:
    assert score_result_file(*write([], annotated({}))).result.numbers["AP"] == 0.0


def test_nothing_is_printed(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    score_result_file(*write([detection()], annotated({})))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"category_id": 0}, r"1 entries have category ids .* does not have: 0\. Its 2 ids go from 1 to 18"),
        ({"image_id": 8}, "none of the 1 detections .* is on one of the 1 images .* the first is on '8'"),
        ({"bbox": [1, 2, 3]}, r"detection 1: bbox is \[1, 2, 3\], not four numbers"),
        ({"bbox": [10, 20, -5, 40]}, r"bbox \[10.0, 20.0, -5.0, 40.0\] is not \(x, y, width, height\)"),
        ({"score": float("nan")}, "detection 1: score is nan, not a finite number"),
    ],
)
def test_invalid_detections_are_refused_with_the_reason(write: Write, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        score_result_file(*write([detection(**wrong)], annotated({})))


@pytest.mark.parametrize(
    ("detections", "truth", "message"),
    [
        ({"a": 1}, annotated({}), "needs a list of detections"),
        ([{"image_id": 7}], annotated({}), "detection 1: category_id is missing"),
        ([], [], "cannot be read as COCO annotations: it has no list `images`"),
        ([], annotated({}, images=(7, "7")), "lists image '7' more than once"),
        ([], annotated({"image_id": 3}), "none of its 1 annotations is on one of its 1 images"),
        ([], annotated({"category_id": 5}), "`categories` does not define category '5' .annotations.0..; add"),
    ],
)
def test_files_in_another_format_are_refused(write: Write, detections: Any, truth: Any, message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        score_result_file(*write(detections, truth))


def test_a_missing_file_or_invalid_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="there is no file"):
        score_result_file(tmp_path / "a.json", tmp_path / "b.json")
    (tmp_path / "b.json").write_text("{")
    with pytest.raises(PipelineError, match=r"b\.json is not valid JSON"):
        score_result_file(tmp_path / "a.json", tmp_path / "b.json")
