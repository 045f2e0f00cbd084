"""Recognising the layout of real data sets and of folders that the tests write."""

import os
import shutil

import pytest
from typer.testing import CliRunner

from experiments.cli.main import app
from pipeline.errors import PipelineError
from stages.datasets.find import TESTING, TRAINING, find_data_set


@pytest.mark.parametrize(
    ("place", "layout", "training", "testing"),
    [
        ("voc2007", "voc", "trainval", "test"),
        ("bccd", "voc", "trainval", "test"),
        ("messy/fruit", "voc", "train", "test"),
        ("coco_mini", "coco", "train2017", "val2017"),
    ],
)
def test_real_data_sets_are_recognised_with_their_default_splits(real_data, place, layout, training, testing):
    found = find_data_set(str(real_data(place)))
    assert (found.layout, found.default_split(TRAINING), found.default_split(TESTING)) == (layout, training, testing)
    assert found.source(training).survey().objects_per_class


def test_one_of_several_sets_of_a_devkit_can_be_named_below_the_parent_of_vocdevkit(voc, tmp_path):
    (tmp_path / "data").mkdir()
    shutil.copytree(voc.root.parent, tmp_path / "data/VOCdevkit")
    shutil.copytree(voc.root, tmp_path / "data/VOCdevkit/VOC2012")
    with pytest.raises(PipelineError, match="holds several data sets"):
        find_data_set(str(tmp_path / "data"))
    for place in ("data/VOC2012", "data/VOCdevkit/VOC2012"):
        found = find_data_set(str(tmp_path / place))
        assert found.name == "VOC2012"
        assert found.source("train").located().uri.endswith("VOCdevkit/VOC2012")


def test_lists_of_a_single_class_are_not_splits(voc):
    (voc.root / "ImageSets/Main/cat_train.txt").write_text("a  1\nb -1\n")
    assert find_data_set(str(voc.root)).splits == ("test", "train")


def test_a_csv_is_recognised_and_a_requested_layout_wins(voc):
    (voc.root / "boxes.csv").write_text("image,xmin,ymin,xmax,ymax,class,split\na.jpg,1,1,9,9,cat,train\n")
    assert find_data_set(str(voc.root)).layout == "voc"
    assert find_data_set(str(voc.root), "csv").source("train").survey().objects_per_class == {"cat": 1}


def test_a_folder_that_is_no_data_set_is_refused_with_what_was_looked_for(tmp_path, voc):
    (tmp_path / "empty").mkdir()
    with pytest.raises(PipelineError, match=r"empty is not a data set: looked for .*VOC.*COCO.*ILSVRC.*csv"):
        find_data_set(str(tmp_path / "empty"))
    with pytest.raises(PipelineError, match=r"there is no folder .*absent"):
        find_data_set(str(tmp_path / "absent"))
    with pytest.raises(PipelineError, match=r"there is no file .*absent.csv; check the path"):
        find_data_set(str(tmp_path / "absent.csv"))
    with pytest.raises(PipelineError, match="not a data set in layout coco"):
        find_data_set(str(voc.root), "coco")
    with pytest.raises(PipelineError, match="did you mean 'coco'"):
        find_data_set(str(voc.root), "cocoa")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("image,xmin,ymin,xmax,class", "boxes.csv lacks the columns ymax; it has image, xmin, ymin, xmax, class"),
        ("image,x,y,w,h,class", r"lacks the columns xmin, .*; it has image, x, y, w, h, class; .*xmax = x \+ width"),
        ("", "boxes.csv is empty"),
    ],
)
def test_a_csv_without_a_column_of_boxes_is_refused_with_the_columns_that_it_lacks_and_has(tmp_path, header, message):
    (tmp_path / "boxes.csv").write_text(f"{header}\na.jpg,1,1,9,9,cat\n" if header else "")
    with pytest.raises(PipelineError, match=message):
        find_data_set(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "layout", "message"),
    [
        ("data.txt", "", "is a file: name a .csv with boxes, a .json in COCO's format, or the folder"),
        ("data.csv", "", "data.csv is empty"),
        ("data.json", "voc", "not a data set in layout voc"),
    ],
)
def test_a_file_that_holds_no_boxes_is_refused(tmp_path, name, layout, message):
    (tmp_path / name).write_text("")
    with pytest.raises(PipelineError, match=message):
        find_data_set(str(tmp_path / name), layout)


def test_a_csv_named_by_its_path_is_read_alone(tmp_path):
    (tmp_path / "pets/images").mkdir(parents=True)
    for name in "ab":
        (tmp_path / f"pets/images/{name}.jpg").write_bytes(b"x")
    header = "image,xmin,ymin,xmax,ymax,class"
    (tmp_path / "pets/other.csv").write_text(f"{header}\na.jpg,1,1,9,9,dog\n")
    (tmp_path / "pets/boxes.csv").write_text(f"{header},split\na.jpg,1,1,9,9,cat,train\nb.jpg,1,1,9,9,cat,test\n")
    found = find_data_set(str(tmp_path / "pets/boxes.csv"))
    assert (found.layout, found.name, found.splits) == ("csv", "pets", ("test", "train"))
    assert found.source("train").survey().ids == ["a.jpg"]
    assert find_data_set(str(tmp_path / "pets/other.csv")).source("other").survey().objects_per_class == {"dog": 1}


@pytest.mark.parametrize(
    ("file", "split"),
    [
        ("annotations/instances_mine.json", "mine"),
        ("mine/_annotations.coco.json", "mine"),
        ("instances_mine.json", "mine"),
        ("export 3.json", "export 3"),
    ],
)
def test_a_json_named_by_its_path_is_read_alone(tmp_path, file, split):
    place = tmp_path / "pets" / file
    place.parent.mkdir(parents=True)
    (tmp_path / "pets/images").mkdir()
    (tmp_path / "pets/images/a.jpg").write_bytes(b"x")
    place.write_text('{"images": [{"id": 1, "file_name": "a.jpg"}], "categories": [], "annotations": []}')
    found = find_data_set(str(place))
    assert (found.layout, found.name, found.splits) == ("coco", "pets", (split,))
    assert found.default_split(TRAINING) == split
    assert found.source(split).survey().ids == ["1"]


def test_images_of_a_json_that_are_elsewhere_are_refused_with_every_place_that_was_searched(tmp_path):
    (tmp_path / "export.json").write_text('{"images": [{"id": 1, "file_name": "a.jpg"}]}')
    for command in (["data", "check"], ["data", "show"]):
        done = CliRunner().invoke(app, [*command, str(tmp_path / "export.json")])
        assert isinstance(done.exception, PipelineError)
        assert "the first is 'a.jpg'; looked in: " in str(done.exception)
        for place in ("images/export", "export", "images"):
            assert f"{tmp_path}/{place}, " in str(done.exception)


def test_a_data_set_has_the_name_of_the_folder_that_the_user_names(voc, tmp_path):
    (tmp_path / "pets").mkdir()
    shutil.move(voc.root, tmp_path / "pets/VOC2007")
    assert find_data_set(str(tmp_path / "pets")).name == "pets"
    assert find_data_set(str(tmp_path / "pets")).source("train").survey().ids
    assert find_data_set(str(tmp_path / "pets/VOC2007")).name == "VOC2007"
    (tmp_path / "pets/VOCdevkit").mkdir()
    shutil.move(tmp_path / "pets/VOC2007", tmp_path / "pets/VOCdevkit/VOC2007")
    assert find_data_set(str(tmp_path / "pets")).name == "VOC2007"


def test_a_published_set_keeps_its_name_by_which_renamed_images_are_known(voc, tmp_path):
    (tmp_path / "pets").mkdir()
    shutil.move(voc.root, tmp_path / "pets/VOC2007")
    lists = tmp_path / "pets/VOC2007/ImageSets/Main"
    (lists / "test.txt").write_text("".join(f"{number:06}\n" for number in range(4952)))
    assert find_data_set(str(tmp_path / "pets")).name == "VOC2007"


def test_folders_called_like_files_of_a_layout_are_passed_over(voc):
    for name in ("old.csv", "old.yaml", "annotations/instances_old.json", "ImageSets/Main/old.txt"):
        (voc.root / name).mkdir(parents=True)
    assert find_data_set(str(voc.root)).splits == ("test", "train")
    for layout in ("coco", "csv", "yolo"):
        with pytest.raises(PipelineError, match=f"not a data set in layout {layout}"):
            find_data_set(str(voc.root), layout)


def test_a_file_whose_name_is_not_utf_8_is_refused_with_its_folder(voc):
    shutil.copy(voc.root / "JPEGImages/a.jpg", os.fsdecode(os.fsencode(voc.root) + b"/JPEGImages/\xff.jpg"))
    done = CliRunner().invoke(app, ["data", "check", str(voc.root)])
    assert isinstance(done.exception, PipelineError)
    assert str(done.exception).endswith("JPEGImages: the file name b'\\xff.jpg' is not UTF-8; rename the file")
