"""Data sets on disk, linked into the data folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import PipelineError
from stages.datasets.fetch.linking import images_listed, link
from stages.datasets.mixes import coco, voc
from stages.datasets.published import PUBLISHED
from stages.datasets.source import Source
from stages.datasets.voc import VocFolder


def voc2007(folder: Path, image_id: str = "000005") -> Path:
    for part in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / part).mkdir(parents=True)
    (folder / f"Annotations/{image_id}.xml").write_text("<annotation/>")
    (folder / "ImageSets/Main/trainval.txt").write_text(f"{image_id}\n")
    return folder


@pytest.mark.parametrize("below", ["", "VOC2007", "VOCdevkit/VOC2007"])
def test_the_folder_itself_or_a_parent_may_be_given(tmp_path: Path, below: str) -> None:
    made = voc2007(tmp_path / "disk" / below)
    place = link("voc2007", tmp_path / "disk", tmp_path / "data")
    assert (place, place.resolve()) == (tmp_path / "data/VOCdevkit/VOC2007", made)
    assert images_listed("voc2007", place) == {"trainval": 1}


def test_a_linked_data_set_is_found_by_the_readers_of_the_recipes(tmp_path: Path) -> None:
    made = voc2007(tmp_path / "disk")
    link("voc2007", tmp_path / "disk", tmp_path / "data")
    source = VocFolder(name="voc2007", root=str(tmp_path / "data"), folder="VOC2007", split="trainval")
    assert Path(source.located().path).resolve() == made


def test_linking_again_moves_the_link(tmp_path: Path) -> None:
    for name in ("old", "new", "new"):
        if not (tmp_path / name).exists():
            voc2007(tmp_path / name)
        link("voc2007", tmp_path / name, tmp_path / "data")
    assert (tmp_path / "data/VOCdevkit/VOC2007").resolve() == tmp_path / "new"


def test_a_folder_of_the_user_is_never_replaced(tmp_path: Path) -> None:
    voc2007(tmp_path / "disk")
    (tmp_path / "data/VOCdevkit/VOC2007").mkdir(parents=True)
    with pytest.raises(PipelineError, match="move it away"):
        link("voc2007", tmp_path / "disk", tmp_path / "data")


def test_a_data_set_already_in_place_needs_no_link(tmp_path: Path) -> None:
    made = voc2007(tmp_path / "data/VOCdevkit/VOC2007")
    assert link("voc2007", tmp_path / "data", tmp_path / "data") == made
    assert not made.is_symlink()


def test_ids_of_another_year_are_refused(tmp_path: Path) -> None:
    voc2007(tmp_path / "disk", image_id="2008_000002")
    with pytest.raises(PipelineError, match="'2008_000002'"):
        link("voc2007", tmp_path / "disk", tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_folder_without_the_layout_is_refused_with_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "JPEGImages").mkdir()
    with pytest.raises(PipelineError, match=r"no Annotations, no ImageSets/Main"):
        link("voc2007", tmp_path, tmp_path / "data")


def test_real_voc_and_coco_are_linked_with_their_counts(real_data: Callable[[str], Path], tmp_path: Path) -> None:
    voc = link("voc2007", real_data("voc2007"), tmp_path)
    assert images_listed("voc2007", voc) == {"train": 2500, "val": 2508, "trainval": 5008, "test": 400}
    coco = link("coco2017", real_data("coco_mini"), tmp_path)
    assert images_listed("coco2017", coco) == {"train2017": 337, "val2017": 206}
    with pytest.raises(PipelineError, match="does not hold voc2007"):
        link("voc2007", real_data("bccd"), tmp_path)


SOURCES: dict[str, Source] = {
    "voc2007": voc("/nowhere", "2007", "test"),
    "voc2012": voc("/nowhere", "2012", "trainval"),
    "coco2017": coco("/nowhere", "val2017"),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_missing_data_set_is_refused_with_both_commands_that_get_it(name: str) -> None:
    with pytest.raises(PipelineError) as refused:
        SOURCES[name].survey()
    for words in (
        f"data set {name} is missing: there is no folder",
        f"ssdpipe data download {name}",
        f"ssdpipe data link {name} DIR",
        "SSDPIPE_DATA",
    ):
        assert words in str(refused.value)


def test_the_reader_says_so_when_the_data_set_is_not_in_the_folder(tmp_path: Path) -> None:
    looked = "no VOC2012/Annotations in"
    with pytest.raises(PipelineError, match=rf"(?s)voc2012 is missing: {looked}.*data link voc2012 DIR"):
        voc(str(tmp_path), "2012", "trainval").located()
