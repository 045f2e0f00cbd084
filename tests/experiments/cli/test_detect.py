"""`ssdpipe detect`: typed as a user types it, on drawn and on real pictures."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from experiments.cli.main import app
from experiments.cli.requests import EvaluateRequest
from pipeline.driver.in_process import run_in_process
from pipeline.errors import PipelineError
from pipeline.planning.graph import Graph
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.spec.vocabularies import VOC_CLASSES
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.weights import Weights, save_weights
from stages.detection.detect import Detect
from stages.drawn.draw import Draw
from stages.drawn.vocabulary import CLASSES
from stages.placement import Placement

COUNT = 40
"""Pictures that are compared: two whole batches and a part of one."""


def ssdpipe(*arguments: object, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["detect", *map(str, arguments)], input=stdin)


def images_of(done: Result) -> list[dict[str, Any]]:
    assert done.exception is None, done.exception
    return json.loads(done.stdout)["images"]


def write_weights(file: Path, classes: tuple[str, ...]) -> Path:
    spec = ssd_tiny(classes)
    with file.open("wb") as stream:
        save_weights(Weights(spec=spec, state=initial_detector(spec, 0).state_dict()), stream)
    return file


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set in VOC layout, whose test split has `COUNT` pictures."""
    return Path(run_in_process(Draw(train=0, test=COUNT), str(tmp_path_factory.mktemp("drawn"))).path)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weights(tmp_path_factory.mktemp("weights") / "weights.pt", CLASSES)


@pytest.fixture
def photos(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of three pictures, one of them in a subfolder, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SSDPIPE_STORE", str(tmp_path / "store"))
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for number, name in enumerate(("a.jpg", "b.jpg", "more/c.jpg")):
        shutil.copy(drawn / f"JPEGImages/test_{number:05d}.jpg", folder / name)
    return folder


def evaluated(weights: Path, data: Path, store: Path) -> dict[str, list[tuple[str, float, list[float]]]]:
    """What `evaluate weights` detects in the test split, by image id."""
    graph = Graph([EvaluateRequest(weights=str(weights), data=str(data), gpus=0).target(Placement())])
    (detect,) = (node.stage for node in graph.nodes.values() if isinstance(node.stage, Detect))
    rows = pq.read_table(f"{run_in_process(detect, str(store)).path}/detections.parquet").to_pylist()
    found: dict[str, list[tuple[str, float, list[float]]]] = {}
    for row in rows:
        box = [row[side] for side in ("xmin", "ymin", "xmax", "ymax")]
        found.setdefault(row["image_id"], []).append((row["label"], row["score"], box))
    return found


def real_voc(real_data: Callable[[str], Path], name: str, folder: Path) -> Path:
    """The first test images of a real data set in VOC layout."""
    whole = real_data(name)
    ids = (whole / "ImageSets/Main/test.txt").read_text().split()[:COUNT]
    (folder / "ImageSets/Main").mkdir(parents=True)
    (folder / "ImageSets/Main/test.txt").write_text("\n".join(ids))
    for part in ("Annotations", "JPEGImages"):
        (folder / part).symlink_to(whole / part)
    return folder


@pytest.mark.parametrize(
    ("name", "classes"),
    [("", CLASSES), ("voc2007/VOC2007", VOC_CLASSES), ("bccd/BCCD", ("Platelets", "RBC", "WBC"))],
    ids=["drawn", "VOC2007", "BCCD"],
)
def test_boxes_equal_those_of_evaluate_weights_bit_for_bit(
    drawn: Path, real_data: Callable[[str], Path], tmp_path: Path, name: str, classes: tuple[str, ...]
) -> None:
    data = real_voc(real_data, name, tmp_path / "data") if name else drawn
    weights = write_weights(tmp_path / "weights.pt", classes)
    expected = evaluated(weights, data, tmp_path / "store")
    ids = (data / "ImageSets/Main/test.txt").read_text().split()
    files = [data / f"JPEGImages/{image_id}.jpg" for image_id in ids]
    images = images_of(ssdpipe(weights, *files, "--json", "--min-score", 0.01, "--device", "cpu"))
    assert len(images) == len(expected) == COUNT
    for image, image_id in zip(images, ids, strict=True):
        found = [(classes.index(item["class"]), item["score"], item["box_xyxy"]) for item in image["detections"]]
        assert found == expected[image_id]


def test_a_folder_is_drawn_with_a_line_for_each_picture_and_a_page(weights: Path, photos: Path) -> None:
    done = ssdpipe(weights, "photos", "--min-score", 0.15)
    assert done.exception is None
    lines = done.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["photos/a.jpg", "photos/b.jpg", "photos/more/c.jpg", "page"]
    assert lines[-1] == "page: detections/index.html"
    drawn = sorted(str(file.relative_to("detections")) for file in Path("detections").rglob("*.jpg"))
    assert drawn == ["drawn/a.jpg", "drawn/b.jpg", "drawn/more/c.jpg"]
    page = Path("detections/index.html").read_text(encoding="utf-8")
    assert re.findall('<img .*src="(.*?)"', page) == drawn


def test_files_folders_patterns_and_standard_input_mean_the_same_pictures(weights: Path, photos: Path) -> None:
    expected = [image["detections"] for image in images_of(ssdpipe(weights, "photos", "--json"))]
    listed = b"photos/a.jpg\nphotos/b.jpg\nphotos/more/c.jpg\n"
    for names, stdin in (
        (["photos/a.jpg", "photos/b.jpg", "photos/more/c.jpg"], None),
        (["photos/*.jpg", str(photos / "m*/?.jpg")], None),
        (["photos/**/*.jpg"], None),
        (["-"], listed),
        (["-"], b"\xef\xbb\xbf" + listed.replace(b"\n", b"\r\n")),
    ):
        images = images_of(ssdpipe(weights, *names, "--json", stdin=stdin))
        assert [image["detections"] for image in images] == expected, names
    alone = images_of(ssdpipe(weights, "photos/a.jpg", "--json"))
    piped = images_of(ssdpipe(weights, "-", "--json", stdin=Path("photos/a.jpg").read_bytes()))
    assert [image["image"] for image in piped] == ["-"]
    assert piped[0]["detections"] == alone[0]["detections"]
    assert not Path("detections").exists()  # --json alone writes nothing


def test_csv_has_the_numbers_of_json(weights: Path, photos: Path) -> None:
    images = images_of(ssdpipe(weights, "photos", "--json", "--min-score", 0.15))
    rows = list(csv.DictReader(io.StringIO(ssdpipe(weights, "photos", "--csv", "--min-score", 0.15).stdout)))
    expected = [(image["image"], item["class"], item["score"]) for image in images for item in image["detections"]]
    assert [(row["image"], row["class"], float(row["score"])) for row in rows] == expected != []
    boxes = [item["box_xyxy"] for image in images for item in image["detections"]]
    assert [[float(row[side]) for side in ("xmin", "ymin", "xmax", "ymax")] for row in rows] == boxes


def test_a_broken_picture_is_named_the_rest_goes_on_and_the_exit_code_is_2(weights: Path, photos: Path) -> None:
    whole = images_of(ssdpipe(weights, "photos", "--json"))
    cut = (photos / "a.jpg").read_bytes()
    (photos / "aa.jpg").write_bytes(cut[: len(cut) // 2])
    (photos / "b0.png").write_text("no image")
    (photos / "empty.jpg").touch()
    done = ssdpipe(weights, "photos", "--json")
    assert isinstance(done.exception, PipelineError)  # exit code 2: test_main.py
    assert str(done.exception) == "3 pictures could not be read, as listed above; the others are complete"
    printed = json.loads(done.stdout)
    assert [item["image"] for item in printed["unreadable"]] == ["photos/aa.jpg", "photos/b0.png", "photos/empty.jpg"]
    assert [image["image"] for image in printed["images"]] == [image["image"] for image in whole]
    assert [line.split(": ")[1] for line in done.stderr.splitlines() if "cannot be read" in line] == [
        "photos/aa.jpg", "photos/b0.png", "photos/empty.jpg",
    ]  # fmt: skip
    assert "cannot be read: photos/empty.jpg: the file is empty" in done.stderr


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["nowhere.jpg"], "there is no picture, video or folder nowhere.jpg"),
        (["photos/*.gif"], "the pattern photos/*.gif matches no picture or video"),
        (["nothing"], "nothing holds no picture (.jpg, .jpeg, .png, .bmp, .webp, .tif, .tiff) and no video"),
        (["-"], "no picture was named: standard input is empty"),
        (["photos", "--json", "--csv"], "--json and --csv both print to standard output: choose one"),
        (["photos", "-s", "max_ious=1"], "max_ious"),
    ],
)
def test_what_means_no_picture_is_refused_before_anything_is_computed(
    weights: Path, photos: Path, names: list[str], message: str
) -> None:
    Path("nothing").mkdir()
    done = ssdpipe(weights, *names, stdin=b"")
    assert isinstance(done.exception, PipelineError)
    assert message in str(done.exception)
    assert (done.stdout, Path("detections").exists()) == ("", False)


def test_weights_that_do_not_exist_are_refused_with_what_the_store_has(photos: Path) -> None:
    done = ssdpipe("train/ssd200-narow", "photos")
    assert isinstance(done.exception, PipelineError)
    assert "there is no weights file train/ssd200-narow, and no result of a stage" in str(done.exception)


def test_without_any_detection_a_lower_score_is_suggested(weights: Path, photos: Path) -> None:
    done = ssdpipe(weights, "photos", "--min-score", 0.99)
    assert done.stdout.splitlines()[-2:] == [
        "no score is above 0.99: try a lower --min-score",
        "page: detections/index.html",
    ]


def test_the_page_lists_the_highest_scores_of_a_picture_and_counts_the_other_detections(
    weights: Path, photos: Path
) -> None:
    done = ssdpipe(weights, "photos/a.jpg", "--min-score", 0.01)
    (count,) = [sum(map(int, re.findall(r"(\d+) ", line.partition(": ")[2]))) for line in done.stdout.splitlines()[:1]]
    page = Path("detections/index.html").read_text(encoding="utf-8")
    others = re.search("<small>and (.*?)</small>", page)
    assert page.count("<span style") == 12
    assert others
    assert sum(int(word.split()[0].replace(",", "")) for word in others[1].split(", ")) == count - 12


def test_limits_are_changed_as_for_evaluate_weights(weights: Path, photos: Path) -> None:
    images = images_of(ssdpipe(weights, "photos", "--json", "--min-score", 0.01, "-s", "per_image=3"))
    assert [len(image["detections"]) for image in images] == [3, 3, 3]


@pytest.mark.parametrize(
    ("form", "files"),
    [
        ("voc", ["Annotations/a.xml", "Annotations/b.xml", "Annotations/more/c.xml"]),
        ("yolo", ["labels/a.txt", "labels/b.txt", "labels/classes.txt", "labels/more/c.txt"]),
        ("coco", ["annotations.json"]),
    ],
)
def test_labels_and_crops_are_written_beside_the_drawn_pictures(
    weights: Path, photos: Path, form: str, files: list[str]
) -> None:
    done = ssdpipe(weights, "photos", "--json", "--format", form, "--crops", "--min-score", 0.15, "--out", "found")
    found = images_of(done)
    written = sorted(str(file.relative_to("found")) for file in Path("found").rglob("*") if file.is_file())
    assert [name for name in written if not name.startswith(("crops", "drawn", "index.html"))] == files
    assert sum(name.startswith("crops/") for name in written) == sum(len(image["detections"]) for image in found) > 0
    first = found[0]["detections"][0]["class"]
    assert f"crops/{first}/a-1.jpg" in written
