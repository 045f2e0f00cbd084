"""`ssdpipe tune`: from ranges of settings to a ranking, on validation images alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from experiments.cli.main import app
from experiments.cli.requests import Request, TrainRequest, TuneRequest, request_from
from experiments.cli.search.ranking_text import Outcome
from experiments.cli.search.rounds import OutOfBudget, Rounds
from experiments.cli.search.tune import search
from experiments.cli.shared.options import RunOptions
from pipeline.errors import PipelineError, StageFailed
from pipeline.folder import Folder
from pipeline.planning.graph import Graph
from pipeline.stage import Stage
from ssd_core.spec.recipe import Recipe
from stages.datasets.holdout import HeldOut
from stages.graphs import Evaluation
from stages.placement import Placement
from stages.shards.shard import Shard
from stages.training.part import TrainPart
from stages.training.train import Train
from tests.experiments.cli.requests.test_edge_trainings import Image, write
from tests.experiments.cli.requests.test_training import voc

RATE = "schedule.base_lr=1e-4..1e-2:log"


def request(*settings: str, **options: object) -> TuneRequest:
    return TuneRequest(recipe="ssd-tiny", settings=list(settings or [RATE]), gpus=0, **options)  # type: ignore[arg-type]


@dataclass
class Planted(Rounds):
    """Rounds whose trainings score what a function of their recipe and their last iteration says."""

    truth: Callable[[Recipe, int], float] = lambda *_: 0.5
    place: Path = Path()
    most: int = 1000
    """Number of evaluations that the budget has room for."""

    failing: float = 1.0
    """Learning rate above which a training fails."""

    def results(
        self, request: Request, targets: Sequence[Stage], *, some_may_fail: bool = False
    ) -> dict[Stage, Folder]:
        assert some_may_fail
        assert set(targets) <= set(request.targets(Placement()))
        assert request_from(json.loads(json.dumps(request.to_json()))) == request
        self.trained += len(targets)
        if self.trained > self.most:
            raise OutOfBudget("the budget is spent")
        recipes = {target: self._training(target) for target in targets}
        good = [target for target in targets if recipes[target].recipe.schedule.base_lr <= self.failing]
        return {target: self._result(number, recipes[target]) for number, target in enumerate(good)}

    def _training(self, target: Stage) -> Train:
        assert isinstance(target, Evaluation)
        assert isinstance(target.training, Train)
        return target.training

    def _result(self, number: int, training: Train) -> Folder:
        until = training.until if isinstance(training, TrainPart) else training.recipe.schedule.iterations
        folder = Folder(str(self.place / f"{self.trained}-{number}"))
        noise = 0.002 * (training.recipe.seed % 2)
        folder.write_json("summary.json", {"voc07/mAP": self.truth(training.recipe, until) + noise})
        return folder


def near_a_thousandth(recipe: Recipe, until: int) -> float:
    return 0.5 - abs(recipe.schedule.base_lr - 1e-3) * 10 - 50 / until


def searched(place: Path, asked: TuneRequest, **options: object) -> Outcome:
    rounds = Planted(running=RunOptions(), truth=near_a_thousandth, place=place, **options)  # type: ignore[arg-type]
    return search(asked, rounds, quiet=False)


def test_the_ranking_has_means_intervals_and_the_command_that_trains_the_best(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = searched(tmp_path, request(RATE, "batch_size=2"))
    text = "\n".join(outcome.lines())
    assert capsys.readouterr().err.splitlines() == [
        "rung 1 of 3, iteration 412: 4 of 8 trials continue",
        "rung 2 of 3, iteration 825: 2 of 4 trials continue",
    ]
    ranked = outcome.ranked()
    assert [each.rung for each in ranked] == [2, 2, 1, 1, 0, 0, 0, 0]
    best = outcome.drawn[ranked[0].trial]
    rates = [float(settings[0].partition("=")[2]) for settings in outcome.drawn.values()]
    assert best == (f"schedule.base_lr={min(rates, key=lambda rate: abs(rate - 1e-3)):.4g}",)
    assert f"ssdpipe train ssd-tiny -s batch_size=2 -s {best[0]}" in text
    document = outcome.to_json()
    assert [each["trial"] for each in document["ranking"]] == [each.trial for each in ranked]
    first, second, *_ = document["ranking"]
    assert first["interval"][0] < first["mean"] < first["interval"][1]
    assert (first["behind_the_best"], len(first["by_seed"])) == (None, 2)
    assert second["is_shown_worse"] == (second["behind_the_best"]["interval"][1] < 0)


def test_trials_that_are_not_shown_to_be_worse_are_named(tmp_path: Path) -> None:
    asked = request("clip_norm=1..4", trials=4, rungs=1)
    rounds = Planted(running=RunOptions(), truth=lambda *_: 0.5, place=tmp_path)
    assert "not shown to be worse than trial 1: 2, 3, 4" in search(asked, rounds, quiet=True).lines()


def test_later_rungs_continue_the_trainings_of_earlier_ones(tmp_path: Path) -> None:
    outcome = searched(tmp_path, request())
    entered = tuple(tuple(each) for each in outcome.rungs)
    graph = Graph(replace(request(), entered=entered).targets(Placement()))
    parts = [node.stage for node in graph.nodes.values() if isinstance(node.stage, TrainPart)]
    assert len(parts) == 2 * (8 + 4 + 2)
    assert {(part.after.until if part.after else 0, part.until) for part in parts} == {
        (0, 412),
        (412, 825),
        (825, 1650),
    }


def test_without_rungs_a_trial_is_the_training_of_the_command_train(tmp_path: Path) -> None:
    data = write(tmp_path / "cats", train=[Image()] * 9)
    tuned = request("batch_size=2..3", rungs=1, seeds=1, data=str(data), holdout=0.5).targets(Placement())
    alone = TrainRequest(recipe="ssd-tiny", data=str(data), holdout=0.5, settings=["batch_size=3"])
    trained = {stage.training for stage in tuned if isinstance(stage, Evaluation)}
    assert alone.target(Placement()).training in trained


def test_a_trial_whose_training_fails_is_named_and_the_others_are_ranked(tmp_path: Path) -> None:
    outcome = searched(tmp_path, request(), failing=5e-3)
    failed = [trial for trial, (setting,) in outcome.drawn.items() if float(setting.partition("=")[2]) > 5e-3]
    assert outcome.failed == failed != []
    assert not set(failed) & {each.trial for each in outcome.ranked()}
    assert any("a training failed" in line for line in outcome.lines())


def test_a_search_of_which_every_trial_failed_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match="a training of every trial failed"):
        searched(tmp_path, request(), failing=0.0)


def test_a_search_that_is_out_of_budget_ranks_what_it_has(tmp_path: Path) -> None:
    outcome = searched(tmp_path, request(), most=20)
    assert [each.rung for each in outcome.ranked()] == [0] * 8
    assert "stopped: the budget is spent" in outcome.lines()


def test_by_default_a_part_of_the_training_images_is_held_out_by_content_and_the_test_images_are_not_read() -> None:
    graph = Graph(request(holdout=0.25).targets(Placement()))
    sources = [
        source for node in graph.nodes.values() if isinstance(node.stage, Shard) for source in node.stage.sources
    ]
    assert {(type(source), source.split) for source in sources} == {
        (HeldOut, "train-kept-0.25-seed0"), (HeldOut, "train-heldout-0.25-seed0"),
    }  # fmt: skip


def test_a_validation_split_of_ones_own_data_is_scored_on(tmp_path: Path) -> None:
    voc(tmp_path / "pets", train="ab", val="c", test="d")
    graph = Graph(request(data=str(tmp_path / "pets"), validation_split="val").targets(Placement()))
    shards = [node.stage for node in graph.nodes.values() if isinstance(node.stage, Shard)]
    assert {source.split for each in shards for source in each.sources} == {"train", "val"}


@pytest.mark.parametrize(
    ("splits", "named"), [({"train": "ab", "val": "c", "test": "d"}, "test"), ({"train": "ab", "val": "c"}, "val")]
)
def test_the_test_split_is_refused(tmp_path: Path, splits: dict[str, str], named: str) -> None:
    voc(tmp_path / "pets", **splits)
    done = CliRunner().invoke(
        app, ["tune", "ssd-tiny", "-s", RATE, "--data", str(tmp_path / "pets"), "--validation-split", named]
    )
    assert isinstance(done.exception, PipelineError)
    assert str(done.exception).startswith(f"{named} is the split that `ssdpipe train` tests on")


@pytest.mark.parametrize(
    ("splits", "words", "message"),
    [
        ({"train": "abef", "test": "d"}, ["--holdout", "0"], "--holdout 0 leaves only the test images"),
        ({"train": "abef", "test": "cd"}, ["--train-split", "test"], "test is the split that `ssdpipe train` tests on"),
        ({"train": "abef", "val": "cd", "trainval": "abcdef"}, ["--train-split", "trainval"], "has images of val"),
    ],
)
def test_images_to_test_on_are_neither_trained_nor_chosen_on(
    tmp_path: Path, splits: dict[str, str], words: list[str], message: str
) -> None:
    voc(tmp_path / "pets", **splits)
    done = CliRunner().invoke(app, ["tune", "ssd-tiny", "-s", RATE, "--data", str(tmp_path / "pets"), *words])
    assert isinstance(done.exception, PipelineError)
    assert message in str(done.exception)


def test_a_part_is_held_out_of_the_split_that_shares_no_image_with_the_one_to_test_on(tmp_path: Path) -> None:
    voc(tmp_path / "pets", train="abef", val="cd", trainval="abcdef")
    graph = Graph(request(data=str(tmp_path / "pets"), holdout=0.5).targets(Placement()))
    shards = [node.stage for node in graph.nodes.values() if isinstance(node.stage, Shard)]
    assert {source.split for each in shards for source in each.sources} == {
        "train-kept-0.5-seed0", "train-heldout-0.5-seed0",
    }  # fmt: skip


def test_a_budget_that_is_no_time_is_refused_by_a_dry_run_too() -> None:
    done = CliRunner().invoke(app, ["tune", "ssd-tiny", "-s", RATE, "--dry-run", "--budget", "soon"])
    assert "write it as 12h" in str(done.exception)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["batch_size=2..4", "batch_size=4..8"], "batch_size is given two ranges"),
        (["schedule.iterations=10..20"], "schedule.iterations cannot be searched"),
        (["seed=0..3"], "seed cannot be searched: it is noise"),
    ],
)
def test_ranges_that_cannot_be_compared_are_refused(settings: list[str], message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        request(*settings).targets(Placement())


def test_a_search_without_a_range_is_refused_with_an_example() -> None:
    with pytest.raises(PipelineError, match=r"base_lr=1e-4\.\.1e-2:log"):
        request("batch_size=4").targets(Placement())


def test_a_dry_run_shows_the_trainings_of_the_first_rung_and_their_cost(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app, ["tune", "ssd-tiny", "-s", RATE, "--trials", "3", "--gpus", "0", "--dry-run", "--store", str(tmp_path)]
    )
    assert done.exit_code == 0, done.output
    assert sum(line.startswith("train/tune-ssd-tiny/trial") for line in done.stdout.splitlines()) == 6
    assert "6 trainings, 9,888 images" in done.stdout


@pytest.mark.slow
@pytest.mark.usefixtures("ray_session")
def test_a_search_that_is_killed_and_repeated_trains_nothing_twice_and_more_trials_add_to_it(tmp_path: Path) -> None:
    data = write(tmp_path / "cats", train=[Image()] * 8)
    given = ["tune", "ssd-tiny", "-s", RATE, "-s", "schedule.iterations=4", "-s", "batch_size=2", "--rungs", "2"]
    given += ["--data", str(data), "--holdout", "0.5", "--gpus", "0", "--in-process", "--seeds", "1", "--json"]

    def tune(trials: int) -> dict[str, object]:
        done = CliRunner().invoke(app, [*given, "--trials", str(trials), "--store", str(tmp_path / "store")])
        assert done.exit_code == 0, done.output
        document: dict[str, object] = json.loads(done.stdout)
        return document

    first = tune(2)
    assert first["trainings_run"] == 3
    again = tune(2)
    assert again["trainings_run"] == 0
    assert again["ranking"] == first["ranking"]
    assert tune(3)["trainings_run"] in (1, 2, 3)
    assert runs_in_mlflow(tmp_path / "store") == 3


def runs_in_mlflow(store: Path) -> int:
    """Number of runs of trainings of the search."""
    from pipeline.mlflow_tracking.client import open_client

    client = open_client(Folder(str(store)))
    (experiment,) = client.search_experiments(filter_string="name = 'tune-ssd-tiny'")
    return sum("ssdpipe.key" in run.data.tags for run in client.search_runs([experiment.experiment_id]))
