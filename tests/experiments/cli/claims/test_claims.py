"""`ssdpipe claims` and `plan` on planted results: a user's file whose rows have the accuracies that it says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from experiments.cli.main import app
from experiments.cli.report import write_report
from experiments.cli.requests import ExperimentRequest
from experiments.framework.comparison import StoredExperiment
from pipeline.execution.executor import InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.folder import Folder
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.store.events import EventLog
from pipeline.store.store import Store
from stages.placement import Placement

FILE = """
from dataclasses import dataclass

from ssdpipe import RUNS, Claim, Difference, Experiment, Order, Row, Stage


@dataclass(frozen=True, kw_only=True)
class Planted(Stage):
    accuracy: float
    seed: int

    def run(self, ctx):
        noise = (0.0, 0.01, -0.01, 0.005, -0.005, 0.0)[(self.seed + int(1000 * self.accuracy)) % 6]
        ctx.out.write_json("summary.json", {"voc07/mAP": self.accuracy + noise})


def planted(label, accuracy, published):
    def result(setup):
        return Planted(accuracy=accuracy, seed=setup.recipe.seed, variant=f"{label}/seed{setup.recipe.seed}")

    return Row(label=label, run=RUNS["ssd300-voc0712"].varied(label), result=result, published=published)


experiment = Experiment(
    name="mine",
    question="What helps?",
    answers="no table",
    expects="something",
    row_title="row",
    rows=(
        planted("base", 0.5, 0.7),
        planted("better", 0.7, 0.9),
        planted("alike", 0.501, 0.7),
        planted("worse", 0.3, 0.9),
    ),
    claims=(
        Claim("Better is better.", Difference("better", "base")),
        Claim("Worse is better.", Difference("worse", "base")),
        Claim("Alike is better.", Difference("alike", "base")),
        Claim("They are in order.", Order(("better", "base", "worse"))),
    ),
)
"""


@dataclass(frozen=True)
class Mine:
    store: Store
    file: Path

    def ssdpipe(self, command: str, *options: str) -> str:
        arguments = [command, str(self.file), "--preset", "tiny", *options, "--store", self.store.folder.path]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.exception
        return result.stdout


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Mine:
    """A store with six seeds of each row, as `run` leaves it."""
    place = tmp_path_factory.mktemp("claims")
    store, file = Store.open(str(place / "store")), place / "planted_effects.py"
    file.write_text(FILE)
    request = ExperimentRequest(experiment=str(file), preset="tiny", seeds=6)
    graph = Graph([request.target(Placement())])
    log = EventLog(store.run("first"))
    Scheduler(
        graph,
        store,
        InlineExecutor(),
        Resolver(graph),
        run_id="first",
        observers=[log],
        provenance={"request": request.to_json()},
    ).run().raise_for_failures()
    return Mine(store, file)


def test_a_users_claims_get_the_verdicts_of_their_planted_effects(mine: Mine) -> None:
    page = json.loads(mine.ssdpipe("claims", "--json"))
    verdicts = {each["claim"]: (each["verdict"], each["size"], each["seeds"]) for each in page["claims"]}
    assert verdicts == {
        "Better is better.": ("supported", "supported", 6),
        "Worse is better.": ("contradicted", "contradicted", 6),
        "Alike is better.": ("undecided", "undecided", 6),
        "They are in order.": ("supported", None, 6),
    }
    (better, *_) = page["claims"]
    assert better["ours"] == pytest.approx(0.2, abs=0.01)
    assert better["interval"][0] < better["ours"] < better["interval"][1]
    assert better["paper"] == pytest.approx(0.2)


def test_without_a_name_the_papers_claims_are_judged_by_the_options_of_the_last_run(mine: Mine) -> None:
    result = CliRunner().invoke(app, ["claims", "--store", mine.store.folder.path])
    assert result.exit_code == 0, result.exception
    assert result.stdout.startswith("Claims at preset tiny, small detectors on drawn images: 39 not tested\n")


def test_each_form_says_at_which_scale_the_verdicts_hold(mine: Mine, tmp_path: Path) -> None:
    text = mine.ssdpipe("claims").splitlines()
    assert text[0] == (
        "Claims at preset tiny, small detectors on drawn images: 2 supported, 1 contradicted, 1 undecided"
    )
    assert "nothing for or against the paper's own trainings" in text[1]
    page = json.loads(mine.ssdpipe("claims", "--json"))
    assert {each["scope"] for each in page["claims"]} == {"at preset tiny, small detectors on drawn images"}
    request = ExperimentRequest(experiment=str(mine.file), preset="tiny", seeds=6)
    stored = StoredExperiment.of([request.target(Placement())], mine.store)
    write_report(request, stored, Folder(str(tmp_path)), "page")
    html = (tmp_path / "page.html").read_text()
    assert html.index("Claims at preset tiny") < html.index("Better is better.") < html.index("<h2>Results</h2>")
    assert "nothing for or against the paper" in html


def test_an_undecided_claim_says_what_would_settle_it(mine: Mine) -> None:
    text = mine.ssdpipe("claims")
    undecided = text[text.index("? undecided    Alike is better.") :]
    assert "60 seeds would not settle it: it needs more test images" in undecided


def test_claims_of_the_paper_that_were_not_run_name_the_command_that_tests_them(mine: Mine) -> None:
    arguments = ["claims", "ablation-layers", "--preset", "tiny", "--store", mine.store.folder.path]
    text = CliRunner().invoke(app, arguments).stdout
    assert "5 not tested" in text
    assert "to test it: `ssdpipe run ablation-layers --preset tiny --seeds 7`" in text


def test_claims_without_a_name_are_all_of_the_papers(tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["claims", "--json", "--store", str(tmp_path / "store")])
    page = json.loads(shown.stdout)
    assert len(page["claims"]) >= 20
    assert {each["verdict"] for each in page["claims"]} == {"not tested"}
    assert page["caveat"] == ""


def test_a_plan_says_what_its_seeds_would_find_by_the_spread_in_the_store(mine: Mine) -> None:
    options = ("--seeds", "8", "--gpus", "0")
    text = mine.ssdpipe("plan", *options)
    assert "8 seeds a row would find a change of " in text
    assert "(4 rows in the store)" in text
    power = json.loads(mine.ssdpipe("plan", *options, "--json"))["power"]
    assert power["spread"] == pytest.approx(0.0071, abs=1e-4)  # of the six planted deviations
    assert power["claims"][0]["claim"] == "Better is better."


def test_a_plan_without_results_says_what_it_assumes(tmp_path: Path) -> None:
    arguments = ["plan", "ablation-augmentation", "--preset", "tiny", "--seeds", "3", "--gpus", "0"]
    text = CliRunner().invoke(app, [*arguments, "--store", str(tmp_path / "store")]).stdout
    assert "as seeds differ by 4.2 points (24 rows of three seeds in docs/results.md)" in text
    assert "(paper +8.8)" in text


def test_a_plan_and_a_page_of_one_column_leave_out_the_claims_on_others(tmp_path: Path) -> None:
    options = ["ablation-layers", "--preset", "tiny", "--column", "yes", "--store", str(tmp_path / "store")]
    plan = CliRunner().invoke(app, ["plan", *options, "--gpus", "0"])
    assert "Accuracy falls as the coarse maps" in plan.stdout
    assert "boundary boxes" not in plan.stdout
    page = CliRunner().invoke(app, ["claims", *options])
    assert "5 not tested" in page.stdout


def test_a_run_ends_with_the_verdicts(mine: Mine) -> None:
    printed = mine.ssdpipe("run", "--seeds", "6", "--gpus", "0", "--no-mlflow")
    assert printed.index("report: ") < printed.index("Claims at preset tiny") < printed.index("Better is better.")
