"""The page and the notebook about detecting in one's own pictures run, on drawn pictures and random weights."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from pipeline.driver.in_process import run_in_process
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.weights import Weights, save_weights
from stages.drawn.draw import Draw
from stages.drawn.vocabulary import CLASSES

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder holds weights.pt and photos."""
    drawn = Path(run_in_process(Draw(train=0, test=3), str(tmp_path / "store")).path)
    shutil.copytree(drawn / "JPEGImages", tmp_path / "photos")
    shutil.copy(drawn / "JPEGImages/test_00000.jpg", tmp_path / "photos/street.jpg")
    spec = ssd_tiny(CLASSES)
    weights = Weights(spec=spec, state=initial_detector(spec, 0).state_dict())
    for name in weights.state:  # of what random weights prefer, some scores are then above 0.5
        if name.endswith("logits.bias"):
            weights.state[name].view(-1, spec.class_count)[:, 1] += 3
    with (tmp_path / "weights.pt").open("wb") as stream:
        save_weights(weights, stream)
    monkeypatch.chdir(tmp_path)


def test_the_code_of_the_page_prints_and_draws(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", (DOCS / "detect.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    exec(compile(block, "detect.md", "exec"), {"__name__": "__main__"})
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"photos/street\.jpg, \d+x\d+: \d+ detections", lines[0])
    assert len(lines) == 1 + 2 * int(lines[0].split()[-2])  # printed as a whole, then one by one
    assert Path("street.png").is_file()


def test_the_cells_of_the_notebook_run(capsys: pytest.CaptureFixture[str]) -> None:
    cells = json.loads((DOCS / "detect.ipynb").read_text(encoding="utf-8"))["cells"]
    names: dict[str, object] = {"__name__": "__main__"}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
    results = json.loads(Path("results.json").read_text(encoding="utf-8"))
    assert {entry["image_id"] for entry in results} == {0, 1, 2, 3}
    assert sorted(file.name for file in Path("drawn").iterdir()) == sorted(
        file.name for file in Path("photos").iterdir()
    )
    assert "photos/street.jpg" in capsys.readouterr().out
