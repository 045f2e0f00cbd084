"""`ssdpipe verify --retrain`: a row of a bundle trained again, in a store of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.experiments.cli.bundles.conftest import Bundled, forged, ssdpipe


@pytest.mark.slow
def test_a_row_trained_again_on_the_same_cpu_has_equal_bits(bundled: Bundled, tmp_path: Path) -> None:
    options = ("--own-file", str(bundled.experiment), "--store", str(tmp_path / "store"))
    result = ssdpipe("verify", str(bundled.file), "--retrain", "squares", *options, "--json")
    assert result.exit_code == 0, result.exception
    again = json.loads(result.stdout)["retrained"]
    assert (again["stage"], again["equal_bits"]) == ("train/squares/seed0", True)


def test_a_row_with_other_settings_is_another_training(bundled: Bundled, tmp_path: Path) -> None:
    def other_momentum(folder: Path) -> None:
        place = folder / "results/train/squares/seed0/result.json"
        value = json.loads(place.read_text(encoding="utf-8"))
        value["settings"]["recipe"]["momentum"] = 0.5
        place.write_text(json.dumps(value), encoding="utf-8")

    other = forged(bundled.file, other_momentum, tmp_path / "other.tar")
    result = ssdpipe("verify", str(other), "--retrain", "squares", "--own-file", str(bundled.experiment))
    assert "squares would be another training here: momentum: 0.5 → 0.25" in str(result.exception)


def test_a_users_file_is_not_executed_unless_it_is_typed(bundled: Bundled) -> None:
    result = ssdpipe("verify", str(bundled.file), "--retrain", "squares")
    assert "is of the file shapes.py, which is not executed because a bundle names it" in str(result.exception)


def test_an_unknown_row_is_refused_with_the_nearest(bundled: Bundled) -> None:
    result = ssdpipe("verify", str(bundled.file), "--retrain", "square")
    assert "the bundle has no row 'square'" in str(result.exception)
    assert "squares" in str(result.exception)
