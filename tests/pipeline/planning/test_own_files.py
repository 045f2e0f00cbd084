"""A user's file outside the project: how it is imported, what is sent with it, and real workers that run its stage."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from pipeline.errors import PipelineError
from pipeline.planning.graph import Graph
from pipeline.planning.own_files import import_file, own_parts
from pipeline.planning.resolver import Resolver

STAGE = """
    from dataclasses import dataclass

    from pipeline.stage import Resources, Stage
    from own_numbers import double


    @dataclass(frozen=True, kw_only=True)
    class Squares(Stage):
        count: int

        @property
        def resources(self):
            return Resources(nested=True)

        def run(self, ctx):
            ctx.out.write_json("squares.json", [double(self.count), *ctx.map(self.square, range(self.count))])

        def square(self, number):
            from own_package.deep.powers import square

            return [square(number), __name__]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """`own_stage.py` beside a module and a package that it imports, and a file that it does not."""
    place = tmp_path / "elsewhere"
    (place / "own_package/deep").mkdir(parents=True)
    (place / "own_stage.py").write_text(dedent(STAGE))
    (place / "own_numbers.py").write_text("def double(x):\n    return 2 * x\n")
    (place / "own_package/__init__.py").write_text("")
    (place / "own_package/deep/__init__.py").write_text("")
    (place / "own_package/deep/powers.py").write_text("def square(x):\n    return x * x\n")
    (place / "own_other.py").write_text("raise RuntimeError('nobody asked for this')\n")
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    yield place
    for name in set(sys.modules) - before:
        if name.startswith("own_"):
            del sys.modules[name]


def test_what_a_file_imports_is_sent_with_it_and_nothing_else(folder: Path) -> None:
    graph = Graph([import_file(str(folder / "own_stage.py")).Squares(count=3)])
    assert own_parts(graph) == {
        "own_stage": folder / "own_stage.py",
        "own_numbers": folder / "own_numbers.py",
        "own_package": folder / "own_package",
    }


def test_an_edit_of_a_function_that_the_file_imports_changes_the_key(folder: Path) -> None:
    graph = Graph([import_file(str(folder / "own_stage.py")).Squares(count=3)])
    (node,) = graph.nodes.values()
    before = Resolver(graph).ingredients(node, {})
    (folder / "own_package/deep/powers.py").write_text("def square(x):\n    # as before\n    return x * x\n")
    assert Resolver(graph).ingredients(node, {}).key == before.key
    (folder / "own_package/deep/powers.py").write_text("def square(x):\n    return x**2\n")
    after = Resolver(graph).ingredients(node, {})
    assert after.key != before.key
    differing = [module for module in before.code if before.code[module] != after.code[module]]
    assert differing == ["own_package.deep.powers"]


def test_a_graph_of_the_project_s_stages_sends_no_files() -> None:
    from stages.drawn.draw import Draw

    assert own_parts(Graph([Draw(train=1, test=0)])) == {}


def test_workers_import_the_user_s_stage_and_what_it_imports_late_whatever_lies_beside_it(folder: Path) -> None:
    script = f"""
        import json
        from pipeline.planning.graph import Graph
        from pipeline.planning.own_files import import_file
        from pipeline.mlflow_tracking.client import About
        from pipeline.driver.run import Invocation, run_graph
        from pipeline.store.store import Store

        graph = Graph([import_file({str(folder / "own_stage.py")!r}).Squares(count=3)])
        store = Store.open("store")
        result = run_graph(graph, store, Invocation(about=About(name="own"), cpus=2, mlflow=False))
        print(json.dumps(store.output(result.outcomes[graph.targets[0]].manifest).read_json("squares.json")))
    """
    _write_namesakes(folder)
    done = subprocess.run(
        [sys.executable, "-P", "-c", dedent(script)],
        cwd=folder, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == '[6, [0, "own_stage"], [1, "own_stage"], [4, "own_stage"]]'


NAMESAKES = ("pipeline", "ssd_core", "stages", "experiments", "ssdpipe", "numpy", "tests")
MODULES = ("code", "types", "random", "statistics", "typer")


def _write_namesakes(folder: Path) -> None:
    """Packages and modules that have the names of others, and fail when they are imported."""
    for name in NAMESAKES:
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("raise SystemExit('the folder beside the file was imported')\n")
    for name in MODULES:
        (folder / f"{name}.py").write_text("raise SystemExit('the file beside the file was imported')\n")


OWN = """
    import random
    from dataclasses import replace

    from own_numbers import double
    from experiments.framework.experiment import Experiment, Row
    from experiments.framework.runs import RUNS

    BASE = RUNS["ssd300-voc0712"]
    experiment = Experiment(
        name="own",
        question="Does it matter what lies beside a file?",
        answers="no table",
        expects="no",
        row_title="row",
        rows=(
            Row(label="one", run=BASE, published=None),
            Row(
                label="two",
                run=BASE.varied("two", lambda recipe: replace(recipe, batch_size=double(2))),
                published=None,
            ),
        ),
    )
"""


def _ssdpipe(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command as it is installed: with no folder of the user's on its path."""
    command = [sys.executable, "-P", "-c", "from experiments.cli.main import main; main()", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_folders_and_files_beside_an_experiment_hide_nothing_that_the_command_imports(folder: Path) -> None:
    (folder / "own_experiment.py").write_text(dedent(OWN).replace("import random\n", ""))
    _write_namesakes(folder)
    done = _ssdpipe(folder, "plan", "./own_experiment.py", "--preset", "tiny")
    assert done.returncode == 0, done.stderr
    assert "table/own " in done.stdout


def _named_random(folder: Path) -> None:
    (folder / "random.py").write_text("")


def _named_stages(folder: Path) -> None:
    (folder / "stages").mkdir()
    (folder / "stages/own_part.py").write_text("")
    (folder / "own_numbers.py").write_text("from stages import own_part\ndouble = int\n")


def _named_typer(folder: Path) -> None:
    (folder / "typer").mkdir()
    (folder / "typer/__init__.py").write_text("")
    (folder / "own_numbers.py").write_text("def double(x):\n    import typer\n")


@pytest.mark.parametrize(
    ("write", "importer", "name", "other"),
    [
        (_named_random, "own_experiment", "random", "a module of Python: rename .*/random.py"),
        (_named_stages, "own_numbers", "stages.own_part", ".*/stages/__init__.py: rename .*/elsewhere/stages"),
        (_named_typer, "own_numbers", "typer", ".*site-packages/typer/__init__.py: rename .*/elsewhere/typer"),
    ],
)
def test_an_import_that_could_mean_two_modules_is_refused_by_name(
    folder: Path, write: Callable[[Path], None], importer: str, name: str, other: str
) -> None:
    (folder / "own_experiment.py").write_text(dedent(OWN))
    write(folder)
    done = _ssdpipe(folder, "plan", "./own_experiment.py", "--preset", "tiny")
    assert done.returncode == 2
    told = rf"{folder}/{importer}\.py imports {name}, which is {folder}/\S+ and also the name of {other}\n"
    assert re.fullmatch(told, done.stderr)


def test_a_file_that_cannot_be_a_module_says_what_to_do(folder: Path) -> None:
    with pytest.raises(PipelineError, match=r"there is no file .*missing\.py"):
        import_file(str(folder / "missing.py"))
    (folder / "my-ablation.py").write_text("")
    with pytest.raises(PipelineError, match=r"the file needs the name of a Python module, such as my_ablation\.py"):
        import_file(str(folder / "my-ablation.py"))
    (folder / "json.py").write_text("")
    with pytest.raises(PipelineError, match="json is also the name of a module of Python; rename the file"):
        import_file(str(folder / "json.py"))


def test_a_file_that_fails_is_reported_with_its_line(folder: Path) -> None:
    (folder / "own_typo.py").write_text("import json\nnothing = jsn.loads('1')\n")
    with pytest.raises(PipelineError, match=r"own_typo\.py, line 2: NameError: name 'jsn' is not defined"):
        import_file(str(folder / "own_typo.py"))
    (folder / "own_half.py").write_text("x = (1,\n")
    with pytest.raises(PipelineError, match=r"own_half\.py, line 1: SyntaxError"):
        import_file(str(folder / "own_half.py"))
    with pytest.raises(PipelineError, match=r"own_other\.py, line 1: RuntimeError: nobody asked"):
        import_file(str(folder / "own_other.py"))


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("from experiments.experiment import Experiment, Row", "from ssdpipe import Experiment, Row"),
        ("from experiments.framework.runs import Scale", "from ssdpipe import Experiment"),
        ("import stages.source", "from ssdpipe import Experiment"),
    ],
)
def test_a_file_that_imports_from_where_a_module_was_is_answered_with_the_line_to_write(
    folder: Path, line: str, instead: str
) -> None:
    (folder / "own_earlier.py").write_text(f"import json\n{line}\n")
    with pytest.raises(PipelineError) as refused:
        import_file(str(folder / "own_earlier.py"))
    assert str(refused.value).startswith(f"{folder / 'own_earlier.py'}, line 2: ")
    assert str(refused.value).endswith(f"stay: write {instead}")
    assert refused.value.exit_code == 2


# As an editable install has it: packages are looked for on the path first
EDITABLE = """
import sys
from importlib.machinery import PathFinder
from importlib.util import spec_from_file_location
from pathlib import Path

class Finder:
    def find_spec(name, path=None, target=None):
        package = ROOT / name
        if (package / "__init__.py").exists():
            return spec_from_file_location(name, package / "__init__.py", submodule_search_locations=[str(package)])

ROOT = Path({root!r})
sys.meta_path.insert(sys.meta_path.index(PathFinder) + 1, Finder)
from pipeline.planning.own_files import import_file
print(import_file({file!r}).Experiment.__module__)
"""


def test_a_checkout_of_the_project_beside_the_file_does_not_hide_the_installed_package(tmp_path: Path) -> None:
    (tmp_path / "ssdpipe").mkdir()
    (tmp_path / "own_file.py").write_text("from ssdpipe import Experiment\n")
    script = EDITABLE.format(root=str(Path(__file__).parents[3]), file=str(tmp_path / "own_file.py"))
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout == "experiments.framework.experiment\n", done.stderr
