"""A user's stage that imports from `ssdpipe` has the key of one that imports from the defining modules."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.keys.code_digest import code_of, own_files
from pipeline.keys.public_api import home_modules, modules_behind
from pipeline.keys.reach import Code
from pipeline.planning.own_files import import_file

Read = Callable[[str, str, str], Code]


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Read]:
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)

    def read(name: str, source: str, used: str) -> Code:
        (tmp_path / f"{name}.py").write_text(f"{source}\n\n\nclass Count:\n    uses = {used}\n")
        kind = import_file(str(tmp_path / f"{name}.py")).Count
        assert own_files([kind]).keys() == {name}
        found = code_of([kind])
        del found[name]
        return found

    yield read
    for name in set(sys.modules) - before:
        if name.startswith("counts_"):
            del sys.modules[name]


def test_a_public_name_counts_where_it_is_defined(code: Read) -> None:
    direct = code("counts_directly", "from ssd_core.data.shards import ShardSet", "ShardSet")
    assert "ShardSet" in direct["ssd_core.data.shards"]
    assert code("counts_by_the_door", "from ssdpipe import ShardSet, Stage", "ShardSet, Stage") == direct


def test_an_import_within_a_function_counts_too(code: Read) -> None:
    within = code("counts_within", "def f():\n    from ssdpipe import ShardSet\n    return ShardSet", "f")
    assert "ssd_core.data.shards" in within


def test_public_names_that_are_not_imported_do_not_count(code: Read) -> None:
    assert code("counts_nothing", "from ssdpipe import RUNS, Experiment, Stage", "RUNS, Experiment, Stage") == {}
    assert code("counts_unused", "from ssdpipe import ShardSet", "1") == {}


def test_an_import_of_the_whole_public_api_counts_all_its_modules(code: Read) -> None:
    whole = code("counts_all", "import ssdpipe", "ssdpipe.Stage")
    assert {home for home in home_modules().values() if home.startswith(("ssd_core.", "stages."))} <= whole.keys()
    assert modules_behind(("*",)) == set(home_modules().values())
