"""`ssdpipe bundle`: what an archive holds, and what it does not depend on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.experiments.cli.bundles.conftest import Bundled, ssdpipe


def test_an_archive_holds_what_the_numbers_rest_on_and_no_image(bundled: Bundled) -> None:
    names = bundled.names()
    assert {
        "bundle.json",
        "claims.json",
        "environment.txt",
        "results/detect/all/seed0/detections.parquet",
        "results/shard/drawn-test/images-00000.parquet",
        "results/train/all/seed0/result.json",
        "table/table.txt",
    } <= names
    assert not [name for name in names if name.endswith(".pt") or ("images-" in name and "test" not in name)]
    lock = bundled.member("environment.txt").decode().splitlines()
    assert any(line.startswith("numpy==") for line in lock)
    settings = json.loads(bundled.member("results/train/squares/seed0/result.json"))["settings"]
    assert settings["recipe"]["momentum"] == 0.25


def test_weights_are_held_on_request(bundled: Bundled, tmp_path: Path) -> None:
    result = bundled.bundle(tmp_path / "weights.tar", "--weights", "--json")
    assert result.exit_code == 0, result.exception
    with_weights = Bundled(tmp_path / "weights.tar", bundled.experiment, bundled.store)
    assert with_weights.names() - bundled.names() == {
        "results/train/all/seed0/weights.pt",
        "results/train/squares/seed0/weights.pt",
    }
    facts = json.loads(result.stdout)
    assert (facts["cells"], facts["cells_with_results"], facts["claims"], facts["unbundled"]) == (2, 2, 2, [])


def test_equal_results_give_equal_bytes_whoever_computed_them_and_when(bundled: Bundled, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(bundled.store, store)
    for place in (store / "keys").glob("*.json"):
        manifest = json.loads(place.read_text())
        manifest |= {"seconds": 7.0, "finished": manifest["finished"] + 1}
        manifest["provenance"]["machine"]["host"] = "elsewhere"
        manifest["provenance"]["argv"] = ["another", "command"]
        place.write_text(json.dumps(manifest))
    again = Bundled(tmp_path / "again.tar", bundled.experiment, str(store))
    assert again.bundle(again.file).exit_code == 0
    assert again.file.read_bytes() == bundled.file.read_bytes()


def test_nothing_in_an_archive_names_the_place_of_the_store_or_of_the_file(bundled: Bundled) -> None:
    content = bundled.file.read_bytes()
    assert bundled.store.encode() not in content
    assert str(bundled.experiment.parent).encode() not in content


def test_an_experiment_without_a_number_is_refused(bundled: Bundled, tmp_path: Path) -> None:
    empty = Bundled(tmp_path / "empty.tar", bundled.experiment, str(tmp_path / "nothing"))
    result = empty.bundle(empty.file)
    assert "no number of shapes.py is in the store" in str(result.exception)
    assert not empty.file.exists()


def test_several_experiments_are_refused(tmp_path: Path) -> None:
    result = ssdpipe("bundle", "table2", "--store", str(tmp_path), "--out", str(tmp_path / "x.tar"))
    assert "a bundle holds one experiment" in str(result.exception)
