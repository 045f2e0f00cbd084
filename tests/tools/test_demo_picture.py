"""The picture in README is one that the demo draws, shrunk by the command that the page names."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from pipeline.driver.in_process import run_in_process
from pipeline.stage import Context, Stage
from pipeline.store.store import Store
from stages.analysis.detection_pictures import CROPS
from tools.demo_picture import PICTURE, WIDTH, shrink

ROOT = Path(__file__).parents[2]


class Pictures(Stage):
    kind = "pictures"

    def run(self, ctx: Context) -> None:
        noise = np.random.default_rng(0).integers(0, 256, (1200, 1400, 3), np.uint8)
        ctx.out.write_bytes(CROPS, cv2.imencode(".jpg", noise)[1].tobytes())


def test_the_picture_of_the_demo_is_shrunk(tmp_path: Path) -> None:
    run_in_process(Pictures(variant="all-six/seed0"), str(tmp_path))
    shrink(Store.open(str(tmp_path)), tmp_path / "small.jpg")
    small = cv2.imread(str(tmp_path / "small.jpg"))
    assert small is not None
    assert small.shape == (round(1200 * WIDTH / 1400), WIDTH, 3)


def test_readme_shows_a_small_picture_and_names_its_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"]({PICTURE})" in readme
    assert "python -m tools.demo_picture" in readme
    picture = cv2.imread(str(ROOT / PICTURE))
    assert picture is not None
    assert picture.shape[1] == WIDTH
    assert (ROOT / PICTURE).stat().st_size < 200_000
