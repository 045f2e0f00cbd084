"""The Python code of the page about exported files detects what `ssdpipe detect` does."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from experiments.cli.main import app
from experiments.framework.detectors import load
from pipeline.driver.in_process import run_in_process
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.weights import Weights, save_weights
from stages.drawn.draw import Draw
from stages.drawn.vocabulary import CLASSES

DOCS = Path(__file__).parents[2] / "docs"


def test_the_code_of_the_page_prints_the_detections_of_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    drawn = Path(run_in_process(Draw(train=0, test=1), str(tmp_path / "store")).path)
    shutil.copy(drawn / "JPEGImages/test_00000.jpg", "street.jpg")
    spec = ssd_tiny(CLASSES)
    with Path("weights.pt").open("wb") as stream:
        save_weights(Weights(spec=spec, state=initial_detector(spec, 0).state_dict()), stream)
    assert CliRunner().invoke(app, ["export", "weights.pt", "-s", "per_image=20"]).exception is None
    (block,) = re.findall(r"```python\n(.*?)```", (DOCS / "export.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    exec(compile(block, "export.md", "exec"), {"__name__": "__main__"})
    lines = [re.split(r"[\s\[\]]+", line.strip(" ]")) for line in capsys.readouterr().out.splitlines()]
    found = load("weights.pt", min_score=0.01, device="cpu")("street.jpg")
    assert len(lines) == 20
    for (name, score, *box), item in zip(lines, list(found)[:20], strict=True):
        assert name == item.name
        assert float(score) == pytest.approx(item.score, abs=1e-4)
        assert [float(value) for value in box] == pytest.approx(item.box_xyxy, abs=0.05)
