"""Output of `ssdpipe evaluate detections`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from typer.testing import Result

    from tests.experiments.cli.conftest import Project


@pytest.fixture
def found(tmp_path: Path) -> Path:
    """The cat of the test image, ranked after a false positive: precision 1/2 at every recall."""
    folder = tmp_path / "found"
    folder.mkdir()
    (folder / "comp4_det_test_cat.txt").write_text("b 0.9 1 1 5 5\nb 0.8 10 20 60 70\n")
    return folder


@pytest.mark.parametrize("protocol", ["voc07", "voc12"])
def test_json_holds_fractions(project: Project, found: Path, protocol: str) -> None:
    done = project.ssdpipe(
        "evaluate", "detections", str(found), "--annotations", str(project.data), "--protocol", protocol, "--json"
    )
    assert json.loads(done.stdout) == {"protocol": protocol, "mAP": 0.5, "classes": {"cat": 0.5}}


def test_the_table_holds_percent(project: Project, found: Path) -> None:
    done = project.ssdpipe("evaluate", "detections", str(found), "--annotations", str(project.data), "--split", "test")
    assert done.stdout.splitlines() == ["class  AP % (voc07)", "cat    50.0", "mAP    50.0"]


@pytest.fixture
def coco(tmp_path: Path) -> tuple[Path, Path]:
    """A results file and its annotations: one dog of 2,000 square pixels, detected exactly."""
    box = [10, 20, 50, 40]
    files = tmp_path / "results.json", tmp_path / "instances.json"
    files[0].write_text(json.dumps([{"image_id": 7, "category_id": 18, "bbox": box, "score": 0.5}]))
    content = {
        "images": [{"id": 7}],
        "categories": [{"id": 18, "name": "dog"}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 18, "bbox": box, "area": 2000, "iscrowd": 0}],
    }
    files[1].write_text(json.dumps(content))
    return files


def test_json_of_coco_holds_the_twelve_numbers_and_null_for_a_size_without_objects(
    project: Project, coco: tuple[Path, Path]
) -> None:
    results, annotations = map(str, coco)
    done = project.ssdpipe(
        "evaluate", "detections", results, "--annotations", annotations, "--protocol", "coco", "--json"
    )
    scores = json.loads(done.stdout)
    assert list(scores) == [
        "protocol", "AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl", "classes",
    ]  # fmt: skip
    assert scores["AP50"] == pytest.approx(1)
    assert scores["APs"] is None
    assert scores["classes"] == {"dog": pytest.approx(1)}


def test_the_table_of_coco_has_classes_and_the_twelve_numbers(project: Project, coco: tuple[Path, Path]) -> None:
    results, annotations = map(str, coco)
    done = project.ssdpipe("evaluate", "detections", results, "--annotations", annotations, "--protocol", "coco")
    lines = done.stdout.splitlines()
    assert lines[:3] == ["class  AP % (coco)", "dog    100.0", "AP     100.0"]
    assert lines[5] == "APs    -"
    assert len(lines) == 14


def score_coco(project: Project, files: tuple[Path, Path], *edits: tuple[int, str, str]) -> Result:
    """Score after replacing text in the results (0) or the annotations (1)."""
    for number, old, text in edits:
        before = files[number].read_text()
        assert old in before
        files[number].write_text(before.replace(old, text))
    results, annotations = map(str, files)
    return project.ssdpipe("evaluate", "detections", results, "--annotations", annotations, "--protocol", "coco")


@pytest.mark.parametrize(
    "edit",
    [
        (0, '"image_id": 7', '"image_id": 7.0'),
        (0, '"image_id": 7', '"image_id": "7"'),
        (0, '"category_id": 18', '"category_id": 18.0'),
        (0, '"score": 0.5', '"score": "0.5"'),
        (1, '"iscrowd": 0', '"iscrowd": "0"'),
        (1, '"iscrowd": 0', '"iscrowd": false'),
        (1, '"area": 2000', '"area": null'),
        (1, "[10, 20, 50, 40]", '["10", "20", "50", "40"]'),
        (1, "[10, 20, 50, 40]", "[60, 60, -50, -40]"),  # repaired, as in a sharding
    ],
)
def test_values_of_coco_mean_the_same_in_every_spelling(
    project: Project, coco: tuple[Path, Path], edit: tuple[int, str, str]
) -> None:
    assert "AP     100.0" in score_coco(project, coco, edit).stdout


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ((1, '"iscrowd": 0', '"iscrowd": "perhaps"'), "annotations[0]: iscrowd is 'perhaps': write 0 or 1"),
        ((1, '"annotations": [', '"annotations": [3, '), "annotations[0] is 3, not an object"),
        ((1, '"name": "dog"', '"name": ["dog"]'), "categories[0]: name is ['dog'], not a name"),
        ((0, "50, 40]", "50, 40, 1]"), "detection 1: bbox is [10, 20, 50, 40, 1], not four numbers"),
        ((0, "50, 40]", '50, "wide"]'), "detection 1: bbox is 'wide', not a number"),
        ((0, '"score": 0.5', '"score": NaN'), "detection 1: score is nan, not a finite number"),
        ((0, '"score": 0.5', '"score": null'), "detection 1: score is missing"),
        ((0, '"image_id": 7', '"image_id": [7]'), "detection 1: image_id is [7]"),
        ((0, '"category_id": 18', '"category_id": 0'), "1 entries have category ids that instances.json does not have"),
        ((0, "}]", ""), "is not valid JSON: Expecting ',' delimiter: line 1 column"),
    ],
)
def test_what_cannot_be_read_in_files_of_coco_is_refused_with_its_place(
    project: Project, coco: tuple[Path, Path], edit: tuple[int, str, str], message: str
) -> None:
    done = score_coco(project, coco, edit)
    assert isinstance(done.exception, PipelineError)  # exit code 2: test_main.py
    assert (message in str(done.exception), done.stdout) == (True, "")


def test_detections_of_other_categories_are_reported_unless_their_ids_look_like_indices(
    project: Project, coco: tuple[Path, Path]
) -> None:
    other = ', {"image_id": 7, "category_id": 90, "bbox": [1, 2, 3, 4], "score": 0.9, "source": "x"}]'
    done = score_coco(project, coco, (0, "}]", "}" + other))
    assert "AP     100.0" in done.stdout
    assert "1 detections have category ids that instances.json does not have: ignored; 90" in done.stderr
    assert "not read: detections: field 'source', 1 times, first in detection 2" in done.stderr
    indices = ((0, '"category_id": 18', '"category_id": 1'), (0, '"category_id": 90', '"category_id": 2'))
    more = (1, '"categories": [', '"categories": [{"id": 1, "name": "person"}, {"id": 3, "name": "car"}, ')
    done = score_coco(project, coco, *indices, more)
    assert isinstance(done.exception, PipelineError)
    assert "write those ids, not indices into a list of classes" in str(done.exception)


def test_the_official_demonstration_of_coco_by_command(project: Project, real_data: Callable[[str], Path]) -> None:
    """Expected: expected.json of the real data."""
    folder = real_data("coco_eval")
    done = project.ssdpipe(
        "evaluate", "detections", str(folder / "instances_val2014_fakebbox100_results.json"), "--protocol", "coco",
        "--annotations", str(folder / "instances_val2014_100.json"), "--json",
    )  # fmt: skip
    numbers = list(json.loads(done.stdout).values())[1:13]
    assert numbers == pytest.approx(json.loads((folder / "expected.json").read_text())["stats"], abs=1e-9)


def test_a_small_object_of_ilsvrc_tolerates_some_pixels(project: Project, tmp_path: Path) -> None:
    """The cat of 11x51 pixels has a threshold of 561 / (21 * 61) = 0.44."""
    annotation = project.data / "Annotations/b.xml"
    annotation.write_text(annotation.read_text().replace("<xmin>10<", "<xmin>50<"))
    folder = tmp_path / "found"
    folder.mkdir()
    (folder / "det_cat.txt").write_text("b 0.9 50 20 60 43\n")  # 24 of 51 rows: 0.47
    means = {}
    for protocol in ("voc12", "ilsvrc"):
        done = project.ssdpipe(
            "evaluate", "detections", str(folder), "--annotations", str(project.data), "--protocol", protocol, "--json"
        )
        means[protocol] = json.loads(done.stdout)["mAP"]
    assert means == {"voc12": 0.0, "ilsvrc": 1.0}


def test_coco_is_recognised_by_the_files_and_scored_at_any_iou(project: Project, coco: tuple[Path, Path]) -> None:
    results, annotations = map(str, coco)
    done = project.ssdpipe("evaluate", "detections", results, "--annotations", annotations)
    assert done.stdout.startswith("class  AP % (coco)\ndog    100.0")
    coco[0].write_text(coco[0].read_text().replace("[10, 20, 50, 40]", "[10, 20, 50, 30]"))  # IoU 0.75
    for iou, expected in ((0.75, 1.0), (0.76, 0.0)):
        done = project.ssdpipe(
            "evaluate", "detections", results, "--annotations", annotations, "--iou", str(iou), "--json"
        )
        assert json.loads(done.stdout) == {
            "protocol": "voc12", "iou": iou, "mAP": expected, "classes": {"dog": expected},
        }  # fmt: skip
    done = project.ssdpipe(
        "evaluate", "detections", results, "--annotations", annotations, "--protocol", "coco", "--iou", "0.5"
    )
    assert isinstance(done.exception, PipelineError)
    assert "averages over the IoU thresholds 0.50 to 0.95" in str(done.exception)


def test_csv_and_text_files_are_scored_by_command_at_any_iou(project: Project, tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text("image,xmin,ymin,xmax,ymax,class\na.jpg,1,1,10,10,cat\n")
    (tmp_path / "found.csv").write_text("image,class,score,xmin,ymin,xmax,ymax\na.jpg,cat,0.9,1,1,10,8\n")
    for name, line in (("truth", "cat 1 1 9 9"), ("found", "cat 0.9 1 1 9 7")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(line)
    for files, truth in (("found.csv", "boxes.csv"), ("found", "truth")):
        for iou, expected in (("0.8", "100.0"), ("0.81", "0.0")):  # 80 of 100 pixels
            done = project.ssdpipe(
                "evaluate", "detections", str(tmp_path / files), "--annotations", str(tmp_path / truth), "--iou", iou
            )
            assert done.stdout.splitlines()[0].split() == ["class", "AP", "%", "(voc07,", "IoU", f"{iou})"]
            assert done.stdout.splitlines()[1].split() == ["cat", expected]


@pytest.mark.parametrize("command", [("evaluate", "detections"), ("analyze",)])
@pytest.mark.parametrize(
    ("option", "message"), [(("--split", "val"), "has no splits"), (("--corners",), "is for text files per image")]
)
def test_an_option_that_means_nothing_for_these_files_is_refused(
    project: Project, coco: tuple[Path, Path], command: tuple[str, ...], option: tuple[str, ...], message: str
) -> None:
    done = project.ssdpipe(*command, str(coco[0]), "--annotations", str(coco[1]), *option)
    assert isinstance(done.exception, PipelineError)
    assert message in str(done.exception)


def test_json_beside_a_folder_is_refused(project: Project, found: Path, coco: tuple[Path, Path]) -> None:
    results, annotations = map(str, coco)
    for files, truth in ((str(found), annotations), (results, str(project.data))):
        done = project.ssdpipe("evaluate", "detections", files, "--annotations", truth)
        assert isinstance(done.exception, PipelineError)
        assert "is a folder" in str(done.exception)


def test_the_protocol_coco_refuses_folders(project: Project, found: Path) -> None:
    done = project.ssdpipe(
        "evaluate", "detections", str(found), "--annotations", str(project.data), "--protocol", "coco"
    )
    assert isinstance(done.exception, PipelineError)
    assert "is a folder, but --protocol coco reads" in str(done.exception)
