"""Which edits of source code count, and how `why` reports them. The packages are written by the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from pipeline.keys.code_digest import code_of
from pipeline.keys.reach import Code
from pipeline.stage import DESCRIPTIVE, Stage

Write = Callable[[str, str], None]
Read = Callable[[], Code]


@pytest.fixture
def project(tmp_path, monkeypatch) -> tuple[str, Write, Read]:
    """Name of a package, a function that writes a module of it, and one that reads the code of its `stage` module."""
    name = f"toy_{tmp_path.name}"
    monkeypatch.syspath_prepend(str(tmp_path))
    tick = iter(range(1, 1000))

    def write(module: str, source: str) -> None:
        path = tmp_path / name / module
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(source).replace("toy", name))
        os.utime(path, ns=(next(tick) * 10**9,) * 2)

    write("__init__.py", "")
    return name, write, lambda: code_of([type("Train", (), {"__module__": f"{name}.stage"})], (name,))


LOSS = """
    from math import log

    FLOOR = 0.5

    def hard_negatives(x):
        return x > FLOOR

    class Loss:
        weight: float = 1.0

        def total(self, x):
            return log(x)
"""


def test_comments_docstrings_layout_and_the_order_of_imports_do_not_count(project):
    _, write, read = project
    write("stage.py", "import json\nimport math\nfrom toy.loss import Loss\n")
    write("loss.py", LOSS)
    before = read()
    write("stage.py", '"""What it does."""\nfrom toy.loss import Loss  # the paper\nimport math\n\n\nimport json\n')
    write(
        "loss.py",
        '''
        """Section 2.2."""
        from __future__ import annotations
        from math import log
        FLOOR = 0.5
        """Unit: none."""

        class Loss:
            """The loss."""
            weight: float = 1.0
            """Alpha."""
            def total(self, x):
                """Sum."""
                pass
                return log(
                    x
                )

        def hard_negatives(x):  # 3:1
            return (x > FLOOR)
        ''',
    )
    assert read() == before


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("x > FLOOR", "x >= FLOOR", "hard_negatives"),
        ("FLOOR = 0.5", "FLOOR = 0.6", "FLOOR"),
        ("return log(x)", "return -log(x)", "Loss.total"),
        ("weight: float = 1.0", "weight: float = 2.0", "Loss"),
        ("class Loss:", "@final\n    class Loss:", "Loss"),
        ("from math import log", "from math import log2 as log", "imports"),
        ("def hard_negatives(x):", "def hard_negatives(x=1):", "hard_negatives"),
        ("def hard_negatives(x):", "async def hard_negatives(x):", "hard_negatives"),
    ],
)
def test_a_change_of_logic_changes_the_digest_of_that_definition_only(project, old, new, changed):
    name, write, read = project
    write("stage.py", "import toy.loss\n")
    write("loss.py", LOSS)
    before = read()[f"{name}.loss"]
    assert old in LOSS
    write("loss.py", LOSS.replace(old, new))
    after = read()[f"{name}.loss"]
    assert {definition for definition in before if before[definition] != after[definition]} == {changed}


BELOW_STAGE = {
    "Stage": "from pipeline.stage import Stage",
    "pipeline.stage.Stage": "import pipeline.stage",
    "basis.Stage": "import pipeline.stage as basis",
    "stage.Stage": "from pipeline import stage",
    "Renamed": "from pipeline.stage import Stage as Renamed",
    "Base": "from toy.base import Base",
    "Below": "from .base import Below",
    "base.Below": "from toy import base",
    "toy.base.Below": "import toy.base",
    "Handed": "from toy import Handed",
    "Generic[int]": "from toy.base import Below as Generic",
    "Promised": "from ssdpipe import Stage as Promised",
    "ssdpipe.Stage": "import ssdpipe",
    "Here": "from pipeline.stage import Stage\nclass Here(Stage): ...",
    "Tried": "try:\n    from toy.base import Below as Tried\nexcept ImportError:\n    pass",
}
"""Bases of a stage's class, each with the code required above it."""


@pytest.mark.parametrize("base", BELOW_STAGE)
@pytest.mark.parametrize("method", DESCRIPTIVE)
def test_what_only_describes_a_stage_does_not_count_in_any_class_below_stage(project, base, method):
    name, write, read = project
    write("__init__.py", "from .base import Below as Handed")
    write("base.py", "import pipeline.stage\nclass Base(pipeline.stage.Stage): ...\nclass Below(Base): ...\n")
    write("shown.py", "")
    head = f"{BELOW_STAGE[base]}\nclass Train({base}):\n"
    code = f"{head}    def {method}(self): return 1\n    def run(self, ctx): return 1\n"
    write("stage.py", code)
    before = read()
    write("stage.py", code.replace("(self): return 1", "(self):\n        import toy.shown\n        return 2"))
    assert read() == before
    write("stage.py", code.replace("ctx): return 1", "ctx): return 2"))
    old, new = before[f"{name}.stage"], read()[f"{name}.stage"]
    assert {definition for definition in old if old[definition] != new[definition]} == {"Train.run"}


@pytest.mark.parametrize("reader", ["stage.py", "base.py"])
def test_a_descriptive_method_of_a_users_stage_counts_once_the_users_code_reads_one(project, reader):
    name, write, read = project
    read_by = dict.fromkeys(("stage.py", "base.py"), "0") | {reader: "self.parameters()"}
    write(
        "base.py",
        f"from pipeline.stage import Stage\nclass Base(Stage):\n    def half(self): return {read_by['base.py']}",
    )
    code = (
        "from toy.base import Base\nclass Mine(Base):\n    def parameters(self): return 1\n"
        f"    def run(self, ctx): return self.half(), {read_by['stage.py']}\n"
    )
    write("stage.py", code)
    before = read()[f"{name}.stage"]
    write("stage.py", code.replace("return 1", "return 2"))
    after = read()[f"{name}.stage"]
    assert {definition for definition in before if before[definition] != after[definition]} == {"Mine.parameters"}


@pytest.mark.parametrize(
    ("above", "base"),
    [
        ("", "Network"),
        ("from torch.nn import Module", "Module"),
        ("from toy.base import Stage", "Stage"),  # another class of that name
        ("from toy.circle import Round", "Round"),
        ("", "made()"),
    ],
)
def test_methods_of_these_names_count_in_a_class_that_is_no_stage(project, above, base):
    name, write, read = project
    write("base.py", "class Stage: ...")
    write("circle.py", "from toy.stage import Round")
    write("shown.py", "")
    write("stage.py", f"{above}\nclass Network({base}):\n    def parameters(self):\n        import toy.shown\n")
    code = read()
    assert "Network.parameters" in code[f"{name}.stage"]
    assert f"{name}.shown" in code


def test_the_methods_that_only_describe_are_those_of_a_stage():
    assert all(hasattr(Stage, name) for name in DESCRIPTIVE)
    assert not {"run", "external_digest", "prepare"} & set(DESCRIPTIVE)


@pytest.mark.parametrize(
    "statement",
    [
        "import toy.deep.loss",
        "from toy.deep import loss",
        "from toy.deep.loss import x",
        "from .deep import loss",
        "from .deep.loss import x as y",
        "def run():\n    from toy.deep import loss",
        "class A:\n    def run(self):\n        if True:\n            import toy.deep.loss",
        "try:\n    import nothing\nexcept ImportError:\n    import toy.deep.loss",
        "with open('x'):\n    import toy.deep.loss",
        "match 1:\n    case 1:\n        import toy.deep.loss",
    ],
)
def test_every_form_of_import_is_followed_and_packages_count(project, statement):
    name, write, read = project
    write("stage.py", statement)
    write("deep/__init__.py", "from . import other")
    write("deep/loss.py", "")
    write("deep/other.py", "from ..top import y")
    write("top.py", "")
    write("unused.py", "")
    assert set(read()) == {name, *(f"{name}.{part}" for part in ("stage", "deep", "deep.loss", "deep.other", "top"))}


def test_what_only_type_checkers_read_does_not_count(project):
    name, write, read = project
    write("typed.py", "")
    write("stage.py", "from typing import TYPE_CHECKING\nx = 1\n")
    before = read()
    write("stage.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from toy.typed import A\nx = 1\n")
    assert read() == before
    assert f"{name}.typed" not in before


def test_pipeline_and_experiments_never_count(project):
    name, write, read = project
    write("stage.py", "import pipeline.store.store\nimport experiments\nimport json\n")
    assert set(read()) == {name, f"{name}.stage"}


def test_the_classes_of_nested_fields_bring_their_modules(project):
    name, write, _ = project
    write("stage.py", "")
    write("recipe.py", "")
    classes = [type("A", (), {"__module__": f"{name}.{module}"}) for module in ("stage", "recipe")]
    assert set(code_of(classes, (name,))) == {name, f"{name}.stage", f"{name}.recipe"}


def test_nothing_is_imported_to_read_it(project):
    name, write, read = project
    write("stage.py", "import toy.bomb\n")
    write("bomb.py", "raise SystemExit('imported')\n")
    assert f"{name}.bomb" in read()
    assert f"{name}.bomb" not in sys.modules


def test_a_users_own_file_and_its_neighbours_count(tmp_path):
    (tmp_path / "mine.py").write_text("import helper\nimport json\nclass Mine:\n    twice = helper.double\n")
    (tmp_path / "helper.py").write_text("def double(x): return 2 * x\n")
    (tmp_path / "other.py").write_text("")
    asked = "from mine import Mine; from pipeline.keys.code_digest import code_of; print(sorted(code_of([Mine])))"
    shown = subprocess.run(
        [sys.executable, "-c", asked], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    assert shown.stdout.strip() == "['helper', 'mine']"


def test_reading_the_project_takes_milliseconds_the_second_time():
    import time

    kind = type("Train", (), {"__module__": "ssd_core.spec.detector"})
    assert Path(__file__).exists()
    code_of([kind], ("ssd_core",))
    began = time.process_time()
    code_of([kind], ("ssd_core",))
    assert time.process_time() - began < 0.1
