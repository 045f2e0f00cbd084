"""A store filled under an earlier scheme of keys stays readable, and its stages run again."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from experiments.cli.main import app
from experiments.cli.requests import ExperimentRequest
from pipeline.execution.executor import InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.keys.fingerprint import digest
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.store.events import EventLog
from pipeline.store.store import Store
from stages.placement import Placement

EXPERIMENT = """
from dataclasses import dataclass

from experiments.framework.experiment import Experiment, Row
from experiments.framework.runs import RUNS
from pipeline.stage import Context, Stage


@dataclass(frozen=True, kw_only=True)
class Half(Stage):
    of: float

    def run(self, ctx: Context) -> None:
        ctx.out.write_json("summary.json", {"half": self.of / 2})


def row(of: float) -> Row:
    def result(setup):
        return Half(of=of, variant=f"of-{of}")

    return Row(label=f"half of {of}", run=RUNS["ssd300-voc0712"], result=result, metric="half", published=0.4)


experiment = Experiment(
    name="halves",
    question="How much is a half?",
    answers="no table",
    expects="half",
    row_title="number",
    rows=(row(1.0), row(0.5)),
)
"""
NOTE = "with keys of an earlier scheme: they stay readable, and `ssdpipe run` recomputes them"


@dataclass(frozen=True)
class Aged:
    store: Path
    file: str
    """Path of the user's experiment."""

    def ssdpipe(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, arguments, env={"SSDPIPE_STORE": str(self.store)})


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aged]:
    """The store of an experiment run under the first scheme of keys."""
    tmp_path = tmp_path_factory.mktemp("aged")
    file = tmp_path / "halves.py"
    file.write_text(EXPERIMENT)
    request = ExperimentRequest(experiment=str(file), preset="tiny")
    graph, store = Graph(request.targets(Placement())), Store.open(str(tmp_path / "store"))
    log, recorded = EventLog(store.run("first")), {"request": request.to_json()}
    Scheduler(
        graph, store, InlineExecutor(), Resolver(graph), run_id="first", observers=[log], provenance=recorded
    ).run()
    _age(tmp_path / "store")
    yield Aged(tmp_path / "store", str(file))
    sys.modules.pop("halves")
    sys.path.remove(str(tmp_path))


@pytest.fixture
def aged(once: Aged, tmp_path: Path) -> Aged:
    """A copy of the store, since some tests write to it."""
    shutil.copytree(once.store, tmp_path / "store")
    return Aged(tmp_path / "store", once.file)


def _age(store: Path) -> None:
    """Give every result a key of the first scheme, whose manifests did not record the scheme."""
    files = sorted(store.glob("keys/*.json"))
    texts = [file.read_text() for file in files]
    for file in files:
        ingredients = json.loads(file.read_text())["ingredients"]
        key = digest({**ingredients, "schema": 1})
        texts = [text.replace(file.stem, key) for text in texts]
        (store / "objects" / file.stem).rename(store / "objects" / key)
        file.unlink()
    for text in texts:
        manifest = json.loads(text)
        del manifest["ingredients"]["schema"]
        (store / "keys" / f"{manifest['key']}.json").write_text(json.dumps(manifest))


def test_a_plan_gives_the_scheme_as_the_reason_for_every_stage(aged: Aged) -> None:
    done = aged.ssdpipe("plan", aged.file, "--preset", "tiny")
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert lines["half/of-1.0"].split(maxsplit=3)[1::2] == ["run", "keys of an earlier scheme"]
    assert lines["table/halves"].endswith("after half/of-1.0 and 1 more, keys of an earlier scheme")


def test_why_explains_a_change_of_scheme_instead_of_listing_every_module(aged: Aged) -> None:
    (line,) = aged.ssdpipe("why", "half/of-0.5", aged.file).stdout.splitlines()
    assert "with keys of an earlier scheme (1; it is 2 now)" in line
    assert "the stage runs again" in line
    assert "stays readable" in line


def test_show_finds_an_earlier_result_and_marks_its_key(aged: Aged) -> None:
    shown = aged.ssdpipe("show", "half/of-0.5").stdout
    assert ", of an earlier scheme\n" in shown
    assert "half 0.25" in shown


@pytest.mark.parametrize("options", [(), ("--preset", "tiny")])
def test_compare_prints_the_earlier_numbers_and_marks_them(aged: Aged, options: tuple[str, ...]) -> None:
    done = aged.ssdpipe("compare", aged.file, *options)
    assert [line.split()[-3:] for line in done.stdout.splitlines() if line.startswith("half of 0.5")] == [
        ["25.0", "+0.0", "-25.0"]
    ]
    assert NOTE in done.stdout


@pytest.mark.parametrize("options", [(), ("--preset", "tiny")])
def test_report_shows_the_earlier_numbers_and_marks_them(aged: Aged, options: tuple[str, ...]) -> None:
    done = aged.ssdpipe("report", aged.file, *options)
    page = Path(done.stdout.split()[0]).read_text(encoding="utf-8")
    assert NOTE in page
    assert "not run" not in page


def test_numbers_of_other_options_are_not_mistaken_for_the_requested_ones(aged: Aged) -> None:
    done = aged.ssdpipe("compare", aged.file, "--preset", "tiny", "--seeds", "2")
    assert NOTE not in done.stdout
    assert "not run" in done.stdout


def test_results_under_the_current_scheme_take_precedence(aged: Aged) -> None:
    request = ExperimentRequest(experiment=aged.file, preset="tiny")
    graph, store = Graph(request.targets(Placement())), Store.open(str(aged.store))
    one = Graph([node.stage for node in graph.nodes.values() if node.address == "half/of-1.0"])
    Scheduler(one, store, InlineExecutor(), Resolver(one), run_id="second").run()
    compared = aged.ssdpipe("compare", aged.file, "--preset", "tiny").stdout
    assert NOTE not in compared
    assert compared.count("not run") == 1
