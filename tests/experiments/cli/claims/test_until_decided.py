"""`run --until-decided` on planted results, through the function that the command calls; and typed, with trainings."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from experiments.cli.claims.cases import replayed
from experiments.cli.claims.until_decided import add_seeds
from experiments.cli.main import app
from experiments.cli.requests import ExperimentRequest
from experiments.cli.requests.until_decided import UntilDecided
from experiments.cli.shared.budget import Budget, seconds
from experiments.cli.shared.options import RunOptions
from pipeline.errors import PipelineError
from pipeline.execution.executor import InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.store.events import EventLog
from pipeline.store.store import Store

PLANTED = """
from dataclasses import dataclass
from random import Random

from ssdpipe import RUNS, Claim, Difference, Experiment, Row, Stage


@dataclass(frozen=True, kw_only=True)
class Planted(Stage):
    accuracy: float
    seed: int

    def run(self, ctx):
        noise = Random(f"{self.accuracy} {self.seed}").gauss(0, 0.03)
        ctx.out.write_json("summary.json", {"voc07/mAP": self.accuracy + noise})


def planted(label, accuracy, published):
    def result(setup):
        return Planted(accuracy=accuracy, seed=setup.recipe.seed, variant=f"{label}/seed{setup.recipe.seed}")

    return Row(label=label, run=RUNS["ssd300-voc0712"].varied(label), result=result, published=published)


experiment = Experiment(
    name="planted",  # not that of its file
    question="What helps?",
    answers="no table",
    expects="something",
    row_title="row",
    rows=(
        planted("base", 0.5, 0.70),
        planted("better", 0.6, 0.80),
        planted("alike", 0.501, 0.80),
        planted("worse", 0.4, 0.80),
        planted("unclaimed", 0.499, None),
    ),
    claims=(
        Claim("Better is better.", Difference("better", "base")),
        Claim("Alike is better.", Difference("alike", "base")),
        Claim("Worse is better.", Difference("worse", "base")),
    ),
)
"""


@dataclass
class Planted:
    """A store for a user's file whose rows have planted accuracies, and the runs that were made."""

    file: Path
    place: str
    computed: list[str] = field(default_factory=list)
    runs: int = 0

    def train(self, request: ExperimentRequest) -> None:
        """What `run` does with a step, without Ray."""
        store, graph = Store.open(self.place), Graph(request.targets(request.placement()))
        name, self.runs = f"run-{self.runs}", self.runs + 1
        result = Scheduler(
            graph,
            store,
            InlineExecutor(),
            Resolver(graph),
            run_id=name,
            observers=[EventLog(store.run(name))],
            provenance={"request": request.to_json()},
        ).run()
        result.raise_for_failures()
        self.computed += [each.address for each in result.in_state("committed") if each.address.startswith("planted/")]

    def add_seeds(self, *, most: int = 12, budget: Budget = Budget(None, 0.0)) -> None:  # noqa: B008 (frozen)
        running = RunOptions(store=self.place, mlflow=False)
        add_seeds(self.request(most), Store.open(self.place), running, budget, self.train)

    def request(self, most: int) -> ExperimentRequest:
        limit = UntilDecided(max_seeds=most)
        return ExperimentRequest(experiment=str(self.file), preset="tiny", gpus=0, until_decided=limit)

    def verdicts(self, most: int = 12) -> dict[str, tuple[str, str, int]]:
        decisions = replayed(self.request(most), Store.open(self.place)).decisions
        return {each.case.claim.sentence: (each.verdict, each.ending, each.seeds) for each in decisions}

    def ssdpipe(self, *words: str) -> Result:
        command, *options = words
        arguments = [command, str(self.file), "--preset", "tiny", *options, "--store", self.place]
        return CliRunner().invoke(app, arguments)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("planted") / "planted_until_decided.py"
    file.write_text(PLANTED)
    return file


@pytest.fixture
def empty(file: Path, tmp_path: Path) -> Planted:
    return Planted(file, str(tmp_path / "store"))


@pytest.fixture(scope="module")
def ended(file: Path, tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """A run that came to its end."""
    planted = Planted(file, str(tmp_path_factory.mktemp("until") / "store"))
    planted.add_seeds()
    return planted


def test_seeds_go_to_the_rows_of_undecided_claims_alone(ended: Planted) -> None:
    verdicts = ended.verdicts()
    assert verdicts["Better is better."][:2] == ("supported", "decided")
    assert verdicts["Worse is better."][:2] == ("contradicted", "decided")
    assert verdicts["Alike is better."][0] == "undecided"
    rows = [address.split("/")[1] for address in ended.computed]
    seeds = {row: rows.count(row) for row in rows}
    assert seeds["unclaimed"] == 1
    assert {row: seeds[row] for row in ("better", "worse", "alike")} == {
        name.split()[0].lower(): number for name, (_, _, number) in verdicts.items()
    }
    assert seeds["base"] == max(seeds.values())
    assert len(set(ended.computed)) == len(ended.computed)


def test_the_same_command_computes_nothing_and_decides_alike(
    ended: Planted, capsys: pytest.CaptureFixture[str]
) -> None:
    before, verdicts = list(ended.computed), ended.verdicts()
    ended.add_seeds()
    assert ended.computed == before
    assert ended.verdicts() == verdicts
    text = capsys.readouterr().out
    assert text.startswith("look at 2 seeds: ")
    assert "ended: 2 of 3 claims are decided" in text


def test_a_run_that_was_stopped_continues_to_the_same_end(
    ended: Planted, empty: Planted, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        empty_then_interrupted(empty)
    capsys.readouterr()
    empty.add_seeds()
    assert sorted(empty.computed) == sorted(ended.computed)
    assert empty.verdicts() == ended.verdicts()


def empty_then_interrupted(planted: Planted) -> None:
    """The first step is made, the second is interrupted."""
    steps = count()

    def train(request: ExperimentRequest) -> None:
        if next(steps):
            raise KeyboardInterrupt
        planted.train(request)

    add_seeds(planted.request(12), Store.open(planted.place), RunOptions(store=planted.place), Budget(None, 0.0), train)


def test_after_each_look_it_says_what_is_decided_who_is_next_and_why_it_ended(
    empty: Planted, capsys: pytest.CaptureFixture[str]
) -> None:
    empty.add_seeds(most=2)
    text = capsys.readouterr().out
    assert text.startswith("next, 2 seeds each: alike; base; better; worse\n")
    assert re.search(r"look at 2 seeds: \d decided, \d given up, \d open\n", text)
    assert "ended: " in text


def test_a_step_that_does_not_fit_into_the_budget_is_not_started(
    empty: Planted, capsys: pytest.CaptureFixture[str]
) -> None:
    times = count(0.0, 50.0)
    empty.add_seeds(budget=Budget(75.0, 0.0, lambda: next(times)))  # one step at 0 s, the second at 50 s
    assert empty.runs == 2
    text = capsys.readouterr().out
    assert "ended before the next step: it would take about" in text
    assert "0:00 of the budget is left; the same command continues" in text


def test_the_page_of_claims_has_the_verdicts_of_the_rule(ended: Planted) -> None:
    page = json.loads(ended.ssdpipe("claims", "--json").stdout)
    assert "Seeds were added until claims were decided" in page["caveat"]
    shown = {each["claim"]: (each["verdict"], each["seeds"]) for each in page["claims"]}
    assert shown == {name: (verdict, seeds) for name, (verdict, _, seeds) in ended.verdicts().items()}
    assert "given up: no effect is likelier than one as large as the one to find, " in ended.ssdpipe("claims").stdout
    assert "unclaimed" in CliRunner().invoke(app, ["compare", str(ended.file), "--store", ended.place]).stdout


def test_the_typed_command_ends_with_the_table_and_the_verdicts_of_the_looks(ended: Planted) -> None:
    done = ended.ssdpipe("run", "--until-decided", "--gpus", "0", "--no-mlflow")  # all is computed: no Ray
    assert done.exit_code == 0, done.exception
    text = done.stdout
    assert text.startswith("look at 2 seeds: ")
    assert text.index("ended: ") < text.index("unclaimed") < text.index("report: ") < text.index("Claims at preset")
    assert "given up: " in text[text.index("Claims at preset") :]


def test_a_bundle_has_the_verdicts_of_the_rule_and_they_are_verified(ended: Planted, tmp_path: Path) -> None:
    file = tmp_path / "planted.tar"
    packed = CliRunner().invoke(app, ["bundle", str(ended.file), "--store", ended.place, "--out", str(file)])
    assert packed.exit_code == 0, packed.exception
    verified = CliRunner().invoke(app, ["verify", str(file), "--json"])
    assert verified.exit_code == 0, verified.exception
    found = json.loads(verified.stdout)["verdicts"]
    page = json.loads(ended.ssdpipe("claims", "--json").stdout)
    for claims in (found["claims"], page["claims"]):
        for each in claims:
            del each["experiment"]  # with its folder in one of them
    assert found == page


def test_a_plan_says_the_least_and_the_most(empty: Planted, ended: Planted) -> None:
    planned = empty.ssdpipe("plan", "--until-decided", "--max-seeds", "5", "--gpus", "0")
    assert planned.exit_code == 0, planned.exception
    assert "until decided: at least " in planned.stdout
    assert "if the look at 2 seeds ends every open claim (3); at most " in planned.stdout
    assert "with 5 seeds of each of their rows" in planned.stdout
    over = ended.ssdpipe("plan", "--until-decided", "--gpus", "0")
    assert "no claim is open" in over.stdout


def test_a_plan_of_the_paper_counts_trainings(tmp_path: Path) -> None:
    words = ["plan", "ablation-augmentation", "--preset", "tiny", "--until-decided", "--max-seeds", "6", "--gpus", "0"]
    bounds = json.loads(CliRunner().invoke(app, [*words, "--json", "--store", str(tmp_path)]).stdout)["until_decided"]
    others = bounds["least"]["trainings"] - 2 * 2  # two rows of the claim with two seeds each
    assert bounds["most"]["trainings"] == 2 * 6 + others
    assert bounds["most"]["wall_seconds"] > bounds["least"]["wall_seconds"] > 0
    short = CliRunner().invoke(app, [*words, "--budget", "2s", "--store", str(tmp_path)]).stdout
    assert "the next step does not fit into a budget of 0:02" in short


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--max-seeds", "5"], "--max-seeds belongs to --until-decided"),
        (["run", "--budget", "2h"], "--budget belongs to --until-decided"),
        (["run", "--until-decided", "--budget", "soon"], "write it as 12h, 90m"),
        (["plan", "--until-decided", "--seeds", "5", "--max-seeds", "3"], "--max-seeds 3 is less than --seeds 5"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(empty: Planted, words: list[str], message: str) -> None:
    assert message in str(empty.ssdpipe(*words, "--gpus", "0").exception)


def test_a_budget_is_a_number_of_days_hours_minutes_and_seconds() -> None:
    assert [seconds(text) for text in ("12h", "1h30m", "1.5m", "2d")] == [43_200, 5400, 90, 172_800]
    with pytest.raises(PipelineError, match="--budget 12 is not a time"):
        seconds("12")


TRAINED = """
from dataclasses import replace

from ssdpipe import RUNS, Claim, Difference, Draw, Experiment, Row, VocFolder

DRAWN = Draw(train=6, test=4, sides=(64, 80))


def on_few_images(setup):
    schedule = replace(setup.recipe.schedule, iterations=2, drops=())
    train, test = ((VocFolder(name="drawn", split=split, within=DRAWN),) for split in ("train", "test"))
    return replace(setup, recipe=replace(setup.recipe, batch_size=2, schedule=schedule), train=train, test=test)


def row(label, **changed):
    run = RUNS["ssd300-voc0712"].varied(label, lambda recipe: replace(recipe, **changed))
    return Row(label=label, run=run, published=None)


experiment = Experiment(
    name="trained", question="Does it run?", answers="no table", expects="nothing", row_title="row",
    rows=(row("base"), row("slow", momentum=0.5)), adjust=on_few_images,
    claims=(Claim("Slow is better.", Difference("slow", "base")),),
)
"""


@pytest.mark.slow
def test_the_command_trains_until_no_claim_is_open_and_repeated_trains_nothing(tmp_path: Path) -> None:
    trained = tmp_path / "trained.py"
    trained.write_text(TRAINED)
    words = ["run", str(trained), "--preset", "tiny", "--until-decided", "--max-seeds", "2", "--budget", "10m"]
    words += ["--gpus", "0", "--no-mlflow", "--in-process", "--store", str(tmp_path / "store")]
    first = CliRunner().invoke(app, words)
    assert first.exit_code == 0, str(first.exception)
    assert "next, 2 seeds each: base; slow\n" in first.stdout
    assert "look at 2 seeds: " in first.stdout
    assert first.stdout.index("ended: ") < first.stdout.index("report: ") < first.stdout.index("Claims at preset")
    runs = len(list((tmp_path / "store/runs").iterdir()))
    again = CliRunner().invoke(app, words)
    assert again.exit_code == 0, again.exception
    assert len(list((tmp_path / "store/runs").iterdir())) == runs == 1
    assert "next, " not in again.stdout
