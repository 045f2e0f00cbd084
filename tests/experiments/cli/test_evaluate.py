"""What `ssdpipe evaluate detections` prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Begun


@pytest.fixture
def found(tmp_path: Path) -> Path:
    """The cat of the test image, after a false detection: precision 1/2 at all recalls."""
    folder = tmp_path / "found"
    folder.mkdir()
    (folder / "comp4_det_test_cat.txt").write_text("b 0.9 1 1 5 5\nb 0.8 10 20 60 70\n")
    return folder


@pytest.mark.parametrize("protocol", ["voc07", "voc12"])
def test_json_holds_fractions(begun: Begun, found: Path, protocol: str) -> None:
    done = begun.ssdpipe(
        "evaluate", "detections", str(found), "--annotations", str(begun.data), "--protocol", protocol, "--json"
    )
    assert json.loads(done.stdout) == {"protocol": protocol, "mAP": 0.5, "classes": {"cat": 0.5}}


def test_the_table_holds_percent(begun: Begun, found: Path) -> None:
    done = begun.ssdpipe("evaluate", "detections", str(found), "--annotations", str(begun.data), "--split", "test")
    assert done.stdout.splitlines() == ["class  AP % (voc07)", "cat    50.0", "mAP    50.0"]
