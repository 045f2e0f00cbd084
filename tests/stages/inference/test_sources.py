"""Pictures that are named have places of their own, and videos give frames by their index."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.errors import PipelineError
from stages.inference.predictor import Predictor
from stages.inference.running import Unreadable, detect_in
from stages.inference.sources import sources


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Seven grey frames of 64x48 pixels, each brighter than the one before it."""
    file = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for number in range(7):
        writer.write(np.full((48, 64, 3), 30 * number, np.uint8))
    writer.release()
    return file


def test_equal_names_in_several_folders_get_places_of_their_own(tmp_path: Path) -> None:
    for name in ("one/dog.jpg", "one/dog.PNG", "two/dog.jpg", "two/in/dog.jpg", "two/.hidden/dog.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = sources([str(tmp_path / "one"), str(tmp_path / "two")], io.BytesIO())
    assert [source.place for source in found] == ["dog", "dog-2", "dog-3", "in/dog"]
    assert [Path(source.name).relative_to(tmp_path).as_posix() for source in found] == [
        "one/dog.PNG", "one/dog.jpg", "two/dog.jpg", "two/in/dog.jpg",
    ]  # fmt: skip


def test_frames_of_a_video_are_named_by_their_index(detector: Predictor, video: Path, file: Path) -> None:
    found = list(sources([str(video), str(file)], io.BytesIO(), every=3))
    assert [source.name for source in found] == [f"{video}#0", f"{video}#3", f"{video}#6", str(file)]
    assert [source.place for source in found] == ["clip-000000", "clip-000003", "clip-000006", "street"]
    brightness = [float(np.asarray(source.read()).mean()) for source in found[:3]]
    assert brightness == pytest.approx([0, 90, 180], abs=3)
    unreadable = Unreadable()
    sizes = [(each.width, each.height) for _, each in detect_in(detector, found, unreadable)]
    assert (sizes, dict(unreadable)) == ([(64, 48)] * 3 + [(140, 90)], {})


def test_a_broken_video_is_named_and_the_rest_goes_on(detector: Predictor, tmp_path: Path, file: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_text("no video")
    unreadable = Unreadable()
    found = detect_in(detector, sources([str(broken), str(file)], io.BytesIO()), unreadable)
    assert [source.name for source, _ in found] == [str(file)]
    assert dict(unreadable) == {str(broken): "not a video that OpenCV can read"}


def test_a_video_that_is_cut_off_ends_with_a_warning_that_counts_its_frames(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, cut = tmp_path / "whole.avi", tmp_path / "cut.avi"
    writer = cv2.VideoWriter(str(whole), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for _ in range(40):
        writer.write(np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8))
    writer.release()
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert len(list(sources([str(whole)], io.BytesIO()))) == 40
    assert capsys.readouterr().err == ""
    read = len(list(sources([str(cut)], io.BytesIO())))
    assert 10 < read < 25
    assert capsys.readouterr().err == f"warning: {cut} is cut off or damaged: {read} of its 40 frames could be read\n"


def test_a_listed_file_that_is_missing_is_named_and_the_rest_goes_on(detector: Predictor, file: Path) -> None:
    unreadable = Unreadable()
    listed = sources(["-"], io.BytesIO(f"nowhere.jpg\n\n{file}\n".encode()))
    assert [source.name for source, _ in detect_in(detector, listed, unreadable)] == [str(file)]
    assert dict(unreadable) == {"nowhere.jpg": "there is no such file"}


def test_a_name_that_means_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="there is no picture, video or folder"):
        sources([str(tmp_path / "nowhere")], io.BytesIO())
