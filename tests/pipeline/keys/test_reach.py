"""Which edits of a user's own file change the key of a class in it. The files are written by the tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from pipeline.keys.code_digest import code_of
from pipeline.keys.reach import Code

FILE = '''
"""A question."""
from dataclasses import dataclass, replace
from own_numbers import HALF, UNUSED
import own_whole
from ssdpipe import Experiment, ShardSet, Stage

BASE = 3
WIDTH: int = 32
BOTH, PAIRED = 1, 2


def widened(x):
    return x + HALF


def helper(x):
    return widened(x) * WIDTH


class Above:
    def deep(self):
        from own_late import late

        return late


@dataclass(frozen=True)
class Network(Above):
    channels: int = WIDTH

    def layers(self):
        return helper(self.channels), ShardSet


def another(recipe):
    return replace(recipe, own_whole.changed)


experiment = Experiment(question="Why?", rows=(Network(), another, BASE))
'''

Edit = Callable[[str, str], tuple[Code, Code]]


@pytest.fixture
def edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Edit:
    """Code of `Network` before and after a text in one of the files is replaced."""
    module = f"own_network_{tmp_path.name}"
    files = {
        f"{module}.py": FILE,
        "own_numbers.py": "HALF = 0.5\nUNUSED = 1\n",
        "own_whole.py": "changed = 1\n",
        "own_late.py": "late = early = 1\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    loaded = type(sys)(module)
    loaded.__file__ = str(tmp_path / f"{module}.py")
    monkeypatch.setitem(sys.modules, module, loaded)
    kind, ticks = type("Network", (), {"__module__": module}), count(1)

    def edit(old: str, new: str) -> tuple[Code, Code]:
        before = code_of([kind])
        for path in tmp_path.glob("*.py"):
            path.write_text(path.read_text().replace(old, new))
            os.utime(path, ns=(next(ticks) * 10**9,) * 2)
        return before, code_of([kind])

    return edit


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Why?", "Why not?"),
        ("rows=(Network(), ", "rows=("),
        ("own_whole.changed)", "own_whole.changed, seed=1)"),
        ("BASE = 3", "BASE = 4"),
        ("UNUSED = 1", "UNUSED = 2"),
        ("changed = 1", "changed = 2"),
        ("HALF, UNUSED", "HALF"),
        ("import Experiment, ", "import RUNS, Experiment, "),
        ("def another(recipe):", "def third(): ...\n\ndef another(recipe):"),
    ],
)
def test_edits_of_what_a_class_does_not_reach_change_no_key(edited: Edit, old: str, new: str) -> None:
    before, after = edited(old, new)
    assert after == before


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("layers(self)", "layers(self, depth=1)", "Network.layers"),
        ("channels: int", "channels: float", "Network"),
        ("(frozen=True)", "(frozen=False)", "Network"),
        ("widened(x) * ", "widened(x) + ", "helper"),
        ("x + HALF", "x - HALF", "widened"),
        ("WIDTH: int = 32", "WIDTH: int = 64", "WIDTH"),
        ("def deep(self):", "def deep(self, more=0):", "Above.deep"),
        ("BOTH, PAIRED = 1", "BOTH, PAIRED = 2", "module level"),
        ("HALF = 0.5", "HALF = 0.6", "HALF"),
        ("early = 1", "early = 2", "late"),
        ("own_numbers import HALF, UNUSED", "own_whole import changed as HALF", "import HALF"),
    ],
)
def test_edits_of_what_a_class_reaches_change_its_key(edited: Edit, old: str, new: str, changed: str) -> None:
    before, after = edited(old, new)
    old_names, new_names = (
        {
            (module.partition("_network_")[0], name, digest)
            for module, names in code.items()
            for name, digest in names.items()
        }
        for code in (before, after)
    )
    assert changed in {name for _, name, _ in old_names - new_names}


@pytest.mark.parametrize(
    "extra", ["Above.deep = None", "BASE += WIDTH", "if BASE:\n    helper = None", "for each in (1, 2): print(each)"]
)
def test_a_statement_that_runs_on_import_counts_wherever_it_stands(edited: Edit, extra: str) -> None:
    before, after = edited("BASE = 3", f"BASE = 3\n{extra}")
    assert after != before
    before, after = edited("changed = 1", f"changed = 1\n{extra}")
    assert "own_whole" in after.keys() - before.keys()


@pytest.mark.parametrize("place", ["BASE = 3", "changed = 1"])
def test_what_a_decorator_of_the_user_may_register_counts_wherever_it_stands(edited: Edit, place: str) -> None:
    registered = "KNOWN = []\ndef known(kind):\n    KNOWN.append(kind)\n    return kind\n@known\nclass Other: size = 1"
    edited(place, f"{place}\n{registered}")
    before, after = edited("size = 1", "size = 2")
    assert after != before


def test_classes_that_a_base_may_register_count(edited: Edit) -> None:
    edited("    def deep(self)", "    def __init_subclass__(cls): cls.known = cls\n\n    def deep(self)")
    before, after = edited("BASE = 3", "BASE = 3\nclass Other(Above): size = 1")
    assert after != before


def test_what_a_decorator_of_a_library_changes_does_not_count(edited: Edit) -> None:
    edited("BASE = 3", "BASE = 3\n@dataclass(frozen=True)\nclass Other: size: int = 1")
    before, after = edited("size: int = 1", "size: int = 2")
    assert after == before


@pytest.mark.parametrize("way", ["globals()['BASE']", "eval('BASE')", "sys.modules[__name__].BASE"])
def test_a_module_whose_names_are_looked_up_at_run_time_counts_as_a_whole(edited: Edit, way: str) -> None:
    edited("helper(self.channels)", way)
    before, after = edited("BASE = 3", "BASE = 4")
    assert after != before


def test_what_is_reached_in_this_project_counts_by_modules_and_nothing_else_of_it_does(edited: Edit) -> None:
    before, after = edited("helper(self.channels), ShardSet", "helper(self.channels)")
    assert "ssd_core.data.shards" in before
    assert not any(module.startswith(("ssd_core", "stages")) for module in after)
