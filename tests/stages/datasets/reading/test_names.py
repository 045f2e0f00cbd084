import pytest

from stages.datasets.reading.names import ImageNames, match_names, normalised

FILES = ["JPEGImages/a.jpg", "JPEGImages/deep/er/b.png", "JPEGImages/c d.JPG", "images/val/2.jpg", "other/a.jpg"]


@pytest.mark.parametrize(
    "name",
    ["a", "a.jpg", " a.jpg ", "./a.jpg", "JPEGImages/a.jpg", "./JPEGImages/a", "JPEGImages\\a.jpg", "/a", "x/../a.jpg"],
)
def test_a_file_is_meant_with_or_without_folder_extension_blanks_and_backslashes(name: str) -> None:
    assert ImageNames(FILES, places=["JPEGImages"]).find(name) == "JPEGImages/a.jpg"


@pytest.mark.parametrize("name", ["b", "b.png", "deep/er/b", "deep\\er\\b.png", "JPEGImages/deep/er/b.png"])
def test_a_file_in_a_subfolder_is_meant_by_its_path_or_its_name_alone(name: str) -> None:
    assert ImageNames(FILES, places=["JPEGImages"]).find(name) == "JPEGImages/deep/er/b.png"


def test_a_name_may_hold_blanks_and_capitals_in_its_extension() -> None:
    assert ImageNames(FILES, places=["JPEGImages"]).find("c d") == "JPEGImages/c d.JPG"


def test_a_name_that_two_images_in_subfolders_have_means_neither() -> None:
    names = ImageNames(["images/x/a.jpg", "images/y/a.jpg"], places=["images"])
    assert names.find("a.jpg") is None
    assert names.find("x/a.jpg") == "images/x/a.jpg"


def test_the_earlier_folder_wins() -> None:
    assert ImageNames(["q/a.jpg", "p/a.jpg"], places=["p", "q"]).find("a") == "p/a.jpg"


def test_an_image_of_another_split_is_meant_by_its_whole_path_only() -> None:
    names = ImageNames(FILES, places=["images/train", "images", ""], others=["images/val"])
    assert names.find("2.jpg") is None
    assert names.find("val/2.jpg") is None
    assert names.find("images/val/2.jpg") == "images/val/2.jpg"


def test_of_files_with_one_name_the_jpeg_wins_and_an_exact_extension_before_it() -> None:
    names = ImageNames(["a.png", "a.jpg"])
    assert names.find("a") == "a.jpg"
    assert names.find("a.png") == "a.png"


def test_names_of_detections_meet_ids_with_or_without_folder_and_extension() -> None:
    ids = ["000001", "val/000002", "x/same", "y/same", "c.v2"]
    names = ["000001.jpg", "JPEGImages\\000001.png", "000002", "same", "x/same.jpg", "c.v2.jpg", "absent"]
    assert match_names(names, ids) == {
        "000001.jpg": "000001",
        "JPEGImages\\000001.png": "000001",
        "000002": "val/000002",
        "x/same.jpg": "x/same",
        "c.v2.jpg": "c.v2",
    }


def test_a_path_cannot_leave_the_data_set() -> None:
    assert normalised("../../etc/passwd") == "etc/passwd"
