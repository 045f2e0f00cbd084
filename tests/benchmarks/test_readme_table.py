"""README's numbers are those of the result files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import readme_table


def test_the_table_in_the_readme_is_the_one_that_the_result_files_give() -> None:
    readme = readme_table.README.read_text(encoding="utf-8")
    assert readme_table.renewed(readme) == readme


def test_a_placeholder_becomes_its_number(tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/input.json").write_text(json.dumps({"paper": {"ours": {"ratio": 9.876}}}))
    (tmp_path / "table.md").write_text("| input | {cpu/input | paper | ours | ratio : .1f} times |\n")
    assert readme_table.table(tmp_path / "table.md", tmp_path) == "| input | 9.9 times |\n"


def test_a_measurement_that_is_absent_is_named(tmp_path: Path) -> None:
    (tmp_path / "voc.json").write_text("{}")
    with pytest.raises(KeyError, match=r"voc\.json has no seconds of \| average precision"):
        readme_table.measurement(tmp_path, "voc | seconds of | average precision")
