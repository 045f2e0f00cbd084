"""`ssdpipe report`, and the page that `run` writes."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from experiments.cli.main import app
from experiments.cli.report import refresh
from experiments.cli.requests import ExperimentRequest
from pipeline.errors import PipelineError
from pipeline.execution.executor import InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.store.events import Event, EventLog
from pipeline.store.store import Store
from stages.placement import Placement

if TYPE_CHECKING:
    from tests.experiments.cli.conftest import Project

EXPERIMENT = ("ablation-box-shapes", "--preset", "tiny")
OWN = """
from dataclasses import dataclass

from ssdpipe import RUNS, Experiment, Row
from pipeline.stage import Context, Stage


@dataclass(frozen=True, kw_only=True)
class Length(Stage):
    iterations: int

    def run(self, ctx: Context) -> None:
        ctx.out.write_json("summary.json", {"share": self.iterations / 100})


def length(setup):
    return Length(iterations=setup.recipe.schedule.iterations, variant="length")


experiment = Experiment(
    name="how-long",
    question="How long?",
    answers="no table",
    expects="as long as set",
    row_title="length",
    rows=(Row(label="length", run=RUNS["ssd300-voc0712"], result=length, metric="share", published=None),),
)
"""
CHANGED = ("-s", "schedule.iterations=20", "-s", "schedule.drops=[]")


@dataclass(frozen=True)
class Ran:
    """A store in which the user's experiment ran with changed settings only."""

    store: Path
    file: str

    def ssdpipe(self, verb: str, *arguments: str) -> Result:
        return CliRunner().invoke(app, [verb, self.file, *arguments, "--store", str(self.store)])


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ran]:
    monkeypatch.setattr(sys, "path", [*sys.path])
    file = tmp_path / "how_long.py"
    file.write_text(OWN)
    request = ExperimentRequest(experiment=str(file), preset="tiny", settings=[*CHANGED[1::2]])
    graph, store = Graph(request.targets(Placement())), Store.open(str(tmp_path / "store"))
    log, recorded = EventLog(store.run("first")), {"request": request.to_json()}
    Scheduler(
        graph, store, InlineExecutor(), Resolver(graph), run_id="first", observers=[log], provenance=recorded
    ).run().raise_for_failures()
    yield Ran(tmp_path / "store", str(file))
    sys.modules.pop("how_long")


def test_the_page_is_written_to_the_store_and_its_path_is_printed(project: Project) -> None:
    done = project.ssdpipe("report", *EXPERIMENT)
    assert done.exit_code == 0
    paths = [project.store / f"reports/ablation-box-shapes-tiny.{suffix}" for suffix in ("html", "csv", "tex")]
    assert done.stdout.split() == [str(path) for path in paths]
    assert "0 of 3 rows run" in paths[0].read_text()


def test_the_page_is_written_to_the_requested_path(project: Project) -> None:
    place = project.store.parent / "elsewhere/mine.html"
    assert project.ssdpipe("report", *EXPERIMENT, "--out", str(place)).exit_code == 0
    assert sorted(path.name for path in place.parent.iterdir()) == ["mine.csv", "mine.html", "mine.tex"]
    assert not (project.store / "reports").exists()


def test_the_user_s_own_images_are_stated_above_the_numbers(project: Project) -> None:
    project.ssdpipe("report", *EXPERIMENT, "--data", str(project.data))
    project.ssdpipe("report", *EXPERIMENT)
    drawn, own = (
        (project.store / f"reports/ablation-box-shapes-tiny{name}.html").read_text() for name in ("", "-cats")
    )
    assert "Trained and tested on" not in drawn
    assert own.index(f"Trained and tested on {project.data}") < own.index("<table")
    assert "/test, 1 images, 1 objects, digest " in own  # the shards that the store has


def test_a_last_run_that_is_no_experiment_has_no_report(project: Project) -> None:
    done = project.ssdpipe("report")
    assert done.exit_code != 0
    assert "has no report" in str(done.exception)


def test_a_page_is_rewritten_only_when_results_have_changed(project: Project) -> None:
    store = Store.open(str(project.store))
    request = ExperimentRequest(experiment="ablation-box-shapes", preset="tiny", data=str(project.data))
    page = project.store / "reports/ablation-box-shapes-tiny-cats.html"
    assert refresh(request, store) == str(page)
    page.write_text(page.read_text() + "left alone")
    refresh(request, store)
    assert page.read_text().endswith("left alone")
    for manifest in (project.store / "keys").glob("*.json"):
        manifest.unlink()
    refresh(request, store)
    assert not page.read_text().endswith("left alone")


def test_a_report_without_the_settings_of_the_run_leaves_the_page_of_the_run_alone(ran: Ran) -> None:
    page, table, _ = map(Path, ran.ssdpipe("report", "--preset", "tiny", *CHANGED).stdout.split())
    kept = page.read_bytes(), table.read_bytes()
    plain = [Path(line).name for line in ran.ssdpipe("report", "--preset", "tiny").stdout.split()]
    assert plain == ["how-long-tiny.html", "how-long-tiny.csv", "how-long-tiny.tex"]
    assert (page.read_bytes(), table.read_bytes()) == kept
    assert "1 of 1 rows run" in page.read_text()


@pytest.mark.parametrize("options", [("--seeds", "2"), ("--column", "yes"), ("-s", "batch_size=2"), ("--strict",)])
def test_every_option_that_changes_results_has_a_page_of_its_own(project: Project, options: tuple[str, ...]) -> None:
    commands = [("report", "ablation-layers", "--preset", "tiny", *given) for given in ((), options)]
    plain, changed = (project.ssdpipe(*command).stdout.split() for command in commands)
    assert Path(plain[0]).name == "ablation-layers-tiny.html"
    assert Path(changed[0]).name.startswith("ablation-layers-tiny-")
    assert project.ssdpipe(*commands[1], "--gpus", "0").stdout.split() == changed  # GPUs change no result


def test_compare_completes_the_options_by_those_of_the_newest_run_that_has_them(ran: Ran) -> None:
    done = ran.ssdpipe("compare", "--preset", "tiny")
    assert done.exit_code == 0, done.output
    assert "not run" not in done.stdout
    assert "options of the newest run" in done.stderr
    assert shlex.join(CHANGED) in done.stderr
    assert ran.ssdpipe("compare", "--preset", "tiny", *CHANGED).stdout == done.stdout
    assert "not run" in ran.ssdpipe("compare", "--preset", "tiny", "--seeds", "2").stdout


@pytest.mark.parametrize("verb", ["report", "compare"])
def test_without_any_number_the_commands_that_have_some_are_shown(ran: Ran, verb: str) -> None:
    note, title, command = ran.ssdpipe(verb, "--preset", "tiny", "--seeds", "2").stderr.splitlines()
    assert note.endswith("has no number for these options")
    assert title == "it has numbers for:"
    program, *typed = shlex.split(command)
    assert program == "ssdpipe"
    assert typed == [verb, ran.file, *CHANGED, "--preset", "tiny", "--store", str(ran.store)]
    done = CliRunner().invoke(app, typed)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "not run" not in done.stdout


def test_without_any_number_in_the_store_only_that_is_noted(project: Project) -> None:
    done = project.ssdpipe("compare", "table2", "--preset", "tiny")
    assert done.stderr == f"note: the store {project.store} has no number for these options\n"
    assert project.ssdpipe("compare", "architecture").stderr == ""  # which has no number of ours


def record_run(store: Path, request: dict[str, object]) -> None:
    event = Event(time=0.0, kind="run_started", data={"request": request})
    EventLog(Store.open(str(store)).run("first")).on_event(event)


@pytest.mark.parametrize("command", [("report",), ("compare",), ("sync",), ("why", "no-stage")])
def test_a_file_that_a_store_names_is_never_executed(command: tuple[str, ...], tmp_path: Path) -> None:
    store, trace = tmp_path / "store", tmp_path / "executed"
    file = store / "results.py"
    file.parent.mkdir()
    file.write_text(f"open({str(trace)!r}, 'w')")
    record_run(store, {"command": "run", "experiment": str(file)})
    ended = CliRunner().invoke(app, [*command, "--store", str(store)])
    assert isinstance(ended.exception, PipelineError)
    assert not trace.exists()
    assert f"add its path to the command: {file}" in " ".join(str(ended.exception).split())


@pytest.mark.parametrize(
    ("recorded", "message"),
    [
        ({"command": "rm"}, "recorded the command 'rm', unknown here"),
        ({"command": "run", "experiment": 5}, "unreadable option: Expected `str`, got `int`"),
        ({"command": "run", "experiment": "ablation-box-shapes", "preset": "../../x"}, "unreadable option"),
    ],
)
def test_a_run_that_this_version_cannot_have_recorded_is_refused(
    recorded: dict[str, object], message: str, tmp_path: Path
) -> None:
    record_run(tmp_path, recorded)
    ended = CliRunner().invoke(app, ["report", "--store", str(tmp_path)])
    assert isinstance(ended.exception, PipelineError)
    assert message in str(ended.exception)
