"""The files of a table, and lines read back from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.folder import Folder
from stages.tables.content import Line, TableContent
from stages.tables.forms import read_lines, write_table

TABLE = TableContent(title="A table", preset="tiny", row_title="row", cells=())
FIRST = Line(
    row="first",
    column="",
    boxes=8732,
    published=0.75,
    values=(1.0, 0.5),
    seeds=(0, 2),
    metric="voc07/mAP",
    published_classes={"cat": 0.7},
    interval=(0.5, 1.0),
    per_class={"cat": 0.75},
)
SECOND = Line(
    row="second",
    column="",
    boxes=100,
    published=0.5,
    values=(0.25,),
    change=-0.75,
    change_seeds=1,
    change_interval=(-1.0, -0.5),
    per_class={},
)


@pytest.fixture
def written(tmp_path: Path) -> Folder:
    out = Folder(str(tmp_path / "out"))
    write_table(TABLE, [FIRST, SECOND], out)
    return out


def test_lines_are_read_back_as_they_were_written(written: Folder) -> None:
    assert read_lines(written) == [FIRST, SECOND]


def test_all_formats_are_written_with_fractions_in_the_machine_readable_ones(written: Folder) -> None:
    assert written.files() == sorted(["table.json", "table.csv", "table.md", "table.txt", "table.tex"])
    content = written.read_json("table.json")
    assert (content["preset"], content["metric"]) == ("tiny", "voc07/mAP")
    assert [cell["mean"] for cell in content["cells"]] == [0.75, 0.25]
    assert [cell["published"] for cell in content["cells"]] == [0.75, 0.5]
