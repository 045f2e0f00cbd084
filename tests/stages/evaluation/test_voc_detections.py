"""Detection files of the VOC devkit, on a hand-written folder and on a real detector's output."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import PipelineError
from ssd_core.data.shards import ShardSet
from ssd_core.metrics.voc_ap import mean_result
from stages.datasets.voc import VocFolder
from stages.evaluation.voc_detections import score_files
from stages.shards.shard import Shard

if TYPE_CHECKING:
    from pipeline.execution.run_stage import StageContext
    from tests.stages.conftest import WrittenVoc


SMALL = "<size><width>50</width><height>50</height></size>"


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


def test_files_of_which_none_is_named_after_a_class_are_refused_with_both_lists(voc: WrittenVoc, files: Path) -> None:
    (files / "comp4_det_test_dog.txt").rename(files / "comp4_det_test_Hund.txt")
    with pytest.raises(PipelineError, match=r"there are comp4_det_test_Hund\.txt; the classes are dog$"):
        score_files(files, str(voc.root), "test")
    (files / "comp4_det_test_Hund.txt").unlink()
    with pytest.raises(PipelineError, match=r"there is no \.txt; the classes are dog$"):
        score_files(files, str(voc.root), "test")


@pytest.mark.parametrize("image", ["img (1)", "b 1", "n_1/x y"])
def test_an_id_may_contain_blanks(voc: WrittenVoc, files: Path, image: str) -> None:
    voc.split("test", [image])
    voc.annotation(image, ("dog", 10, 20, 50, 60))
    (files / "comp4_det_test_dog.txt").write_text(f"{image} 0.9 10 20 50 60\n")
    assert score_files(files, str(voc.root), "test").results["dog"].ap_11point == 1.0


@pytest.mark.parametrize("name", ["b.jpg", "JPEGImages/b.jpg", ".\\b.png", "/data/VOC2007/JPEGImages/b"])
def test_an_image_may_be_named_by_its_file_or_its_path_in_detections_and_in_the_list(
    voc: WrittenVoc, files: Path, name: str
) -> None:
    (files / "comp4_det_test_dog.txt").write_text(f"{name} 0.9 10 20 50 60\n")
    assert score_files(files, str(voc.root), "test").results["dog"].ap_11point == 1.0
    voc.split("test", [name])
    (files / "comp4_det_test_dog.txt").write_text("b 0.9 10 20 50 60\n")
    assert score_files(files, str(voc.root), "test").results["dog"].ap_11point == 1.0


def test_a_list_with_the_devkits_second_column_is_scored(voc: WrittenVoc, files: Path) -> None:
    voc.split("test", ["b  1"])
    assert score_files(files, str(voc.root), "test").results["dog"].ap_11point == 1.0


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_detections_are_read_in_the_encodings_of_windows(voc: WrittenVoc, files: Path, encoding: str) -> None:
    file = files / "comp4_det_test_dog.txt"
    file.write_bytes(file.read_text().replace("\n", "\r\n").encode(encoding))
    assert score_files(files, str(voc.root), "test").results["dog"].ap_11point == 1.0


def test_detections_in_another_encoding_are_refused_with_line_and_byte(voc: WrittenVoc, files: Path) -> None:
    (files / "comp4_det_test_dog.txt").write_bytes("b 0.9 10 20 50 60\ncaf\xe9 0.9 1 1 9 9\n".encode("latin-1"))
    with pytest.raises(PipelineError, match=r"dog\.txt, line 2: byte 0xe9"):
        score_files(files, str(voc.root), "test")


def test_annotations_of_another_kind_are_refused_and_not_scored_as_images_without_objects(
    voc: WrittenVoc, files: Path
) -> None:
    (voc.root / "Annotations/b.xml").write_text("<annotations><image/></annotations>")
    with pytest.raises(PipelineError, match=r"b\.xml cannot be read: XML that is no VOC annotation .*<annotations>"):
        score_files(files, str(voc.root), "test")


def test_a_file_of_a_class_without_objects_is_named_and_skipped(voc: WrittenVoc, files: Path) -> None:
    (files / "comp4_det_test_cat.txt").write_text("b 0.9 1 1 9 9\n")
    notes = score_files(files, str(voc.root), "test").notes
    assert notes[0] == "comp4_det_test_cat.txt: no object of its class is in split 'test'"


def test_a_class_name_may_end_with_another_class_name(voc: WrittenVoc, files: Path) -> None:
    voc.annotation("b", ("dog", 10, 20, 50, 60), ("hot_dog", 60, 10, 90, 40))
    (files / "comp4_det_test_hot_dog.txt").write_text("b 0.9 60 10 90 40\n")
    scores = score_files(files, str(voc.root), "test")
    assert {name: found.ap_11point for name, found in scores.results.items()} == {"dog": 1.0, "hot_dog": 1.0}


@pytest.mark.parametrize(
    "line", ["b 0.9 1 2 3", "b high 1 2 3 4", "b nan 1 2 3 4", "b 0.9 1_0 2 3 4", "b 0.9 1 2 3 1e999"]
)
def test_an_unreadable_line_is_refused_with_its_number(voc: WrittenVoc, files: Path, line: str) -> None:
    (files / "comp4_det_test_dog.txt").write_text(f"b 0.9 10 20 50 60\n{line}\n")
    with pytest.raises(PipelineError, match=r"dog\.txt, line 2"):
        score_files(files, str(voc.root), "test")


def test_detections_that_are_all_on_other_images_are_refused(voc: WrittenVoc, files: Path) -> None:
    (files / "comp4_det_test_dog.txt").write_text("c 0.9 10 20 50 60\n")
    with pytest.raises(PipelineError, match="none of the 1 detections"):
        score_files(files, str(voc.root), "test")


def written(voc: WrittenVoc, *objects: str, size: str = "") -> None:
    """Write these objects, as XML, as the annotation of image b."""
    (voc.root / "Annotations/b.xml").write_text(f"<annotation>{size}{''.join(objects)}</annotation>")


def dog(xmin: object, ymin: object, xmax: object, ymax: object, more: str = "") -> str:
    corners = f"<xmin>{xmin}</xmin><ymin>{ymin}</ymin><xmax>{xmax}</xmax><ymax>{ymax}</ymax>"
    return f"<object><name>dog</name>{more}<bndbox>{corners}</bndbox></object>"


@pytest.mark.parametrize(
    ("others", "note"),
    [
        ((), "swapped corners: 1, repaired"),
        ((dog(1, 1, 1, 9),), "zero area: 1, box left out"),
        ((dog("one", 1, 5, 9),), "box without four finite numbers: 1, box left out"),
        (("<object><name/></object>", "<object/>"), "object without a class: 2, box left out"),
        ((dog(1, 1, 9, 9, more="<iscrowd/>"),), "element, field or column that is not read: 1, kept unchanged"),
    ],
)
def test_objects_are_repaired_and_left_out_as_in_a_sharding_and_the_defects_noted(
    voc: WrittenVoc, files: Path, in_process: Callable[..., StageContext], others: tuple[str, ...], note: str
) -> None:
    written(voc, dog(50, 60, 10, 20), *others)
    scores = score_files(files, str(voc.root), "test")
    assert note in scores.notes
    stage = Shard(sources=(VocFolder(name="pets", split="test", root=str(voc.root)),), classes=("dog",))
    stage.run(context := in_process(stage))
    assert scores.results["dog"].objects == len(ShardSet(context.out.path).row(0).labels)
    assert scores.results["dog"].recall[0] == 1 / scores.results["dog"].objects


@pytest.mark.parametrize("stated", ["", "<size><width>0</width><height>0</height></size>", SMALL])
def test_boxes_are_clipped_to_the_image_whatever_its_annotation_states(
    voc: WrittenVoc, files: Path, stated: str
) -> None:
    written(voc, dog(60, 20, 900, 60), size=stated)
    (files / "comp4_det_test_dog.txt").write_text("b 0.9 60 20 100 60\n")  # of 100 x 80
    scores = score_files(files, str(voc.root), "test")
    assert scores.results["dog"].ap_11point == 1.0
    assert scores.notes == ("box crosses the image border: 1, repaired",)


def test_a_flag_in_other_words_is_refused_with_its_object(voc: WrittenVoc, files: Path) -> None:
    written(voc, dog(10, 20, 50, 60), dog(1, 1, 5, 5, more="<difficult>Unspecified</difficult>"))
    with pytest.raises(PipelineError, match=r"b\.xml, object 1: flag .*dog: difficult is 'Unspecified'"):
        score_files(files, str(voc.root), "test")


def test_a_split_whose_objects_are_all_left_out_is_refused_with_the_defects(voc: WrittenVoc, files: Path) -> None:
    written(voc, dog(1, 1, 1, 9))
    with pytest.raises(PipelineError, match=r"hold no object.*; zero area: 1, box left out"):
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
