"""Code and libraries of results beside the installed ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from experiments.framework.bundles.conditions import changed_functions, changed_libraries, foreign_modules
from pipeline.keys.code_digest import code_of
from pipeline.keys.fingerprint import Ingredients
from pipeline.store.manifest import Manifest
from pipeline.store.provenance import library_versions
from stages.detection.detect import Detect

CODE = code_of([Detect])


def result(code: object, libraries: dict[str, str] | None = None) -> Manifest:
    ingredients = Ingredients(stage="stages.detection.detect.Detect", code=code)  # type: ignore[arg-type]
    manifest = Manifest(key="k", address="a", variant="", tags={}, ingredients=ingredients, settings={}, inputs={})
    return replace(manifest, provenance={"libraries": libraries or {}})


def test_the_installed_code_differs_in_nothing() -> None:
    assert changed_functions([result(CODE)]) == []


def test_a_function_that_differs_and_a_module_that_is_gone_are_named() -> None:
    table = {**CODE["stages.detection.table"], "write_detections": "0" * 16}
    code = {**CODE, "stages.detection.table": table, "stages.gone": {"f": "0" * 16}}
    assert changed_functions([result(code)]) == [
        "stages.detection.table: write_detections changed",
        "stages.gone: no longer imported",
    ]


def test_results_of_two_versions_of_a_module_are_named() -> None:
    other = {**CODE, "stages.detection.table": {"write_detections": "0" * 16}}
    assert changed_functions([result(CODE), result(other)]) == [
        "stages.detection.table: its results were computed with several versions of it"
    ]


def test_a_users_module_is_foreign_and_no_name_reads_a_file_outside(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def f(): ...")
    code = {"mine": {"f": "0"}, f"stages.{tmp_path}/mine": {"f": "0"}, "stages.../mine": {"f": "0"}}
    assert foreign_modules([result(code)]) == ["mine"]
    assert changed_functions([result(code)]) == [
        "stages.../mine: no longer imported",
        f"stages.{tmp_path}/mine: no longer imported",
    ]


def test_libraries_of_other_versions_are_named_and_absent_ones_are_not_compared() -> None:
    here = library_versions()
    then = {**here, "numpy": "1.0", "unknown": "7"}
    assert changed_libraries([result({}, then), result({}, then)]) == [f"numpy: 1.0 → {here['numpy']}"]
