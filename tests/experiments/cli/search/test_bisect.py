"""`ssdpipe bisect`: from two stored trainings to the setting that makes the difference."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from experiments.cli.main import app
from experiments.cli.requests import BisectRequest, Request, TrainRequest, request_from
from experiments.cli.requests.bisection import Chosen, Origin, label_of
from experiments.cli.search.bisect import _search
from experiments.cli.search.bisection_text import Story
from experiments.cli.search.rounds import OutOfBudget, Rounds
from experiments.cli.shared.options import RunOptions
from experiments.framework.search.bisecting import Rule
from experiments.framework.search.evidence import Assumed
from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.stage import Stage
from pipeline.store.store import Manifest, Store
from ssd_core.metrics.estimate import Spread
from ssd_core.spec.recipe import Recipe
from stages.graphs import Evaluation
from stages.training.train import Train
from tests.experiments.cli.requests.test_edge_trainings import Image, write

OF_B = ["optimiser=sgd", "schedule.base_lr=0.01", "batch_size=8", "weight_decay=0.001", "clip_norm=1"]


@dataclass
class Planted(Rounds):
    """Rounds whose trainings score what a function of their recipe says."""

    truth: Callable[[Recipe], float] = lambda _: 0.5
    place: Path = Path()
    most: int = 1000
    """Number of evaluations that the budget has room for."""

    def results(
        self, request: Request, targets: Sequence[Stage], *, some_may_fail: bool = False
    ) -> dict[Stage, Folder]:
        assert not some_may_fail
        assert request == replace(request_from(json.loads(json.dumps(request.to_json()))))
        self.trained += len(targets)
        if self.trained > self.most:
            raise OutOfBudget("the budget is spent")
        return {target: self._result(number, target) for number, target in enumerate(targets)}

    def _result(self, number: int, target: Stage) -> Folder:
        assert isinstance(target, Evaluation)
        assert isinstance(target.training, Train)
        recipe = target.training.recipe
        folder = Folder(str(self.place / f"{self.trained}-{number}"))
        folder.write_json("summary.json", {"voc07/mAP": self.truth(recipe) + 0.0008 * (recipe.seed % 2)})
        return folder


def origin(*settings: str) -> Origin:
    request = TrainRequest(recipe="ssd-tiny", settings=list(settings))
    return Origin(address="train/ssd-tiny/seed0", request=request.to_json())


def search(place: Path, truth: Callable[[Recipe], float], *of_b: str, most: int = 1000) -> Story:
    request = BisectRequest(a=origin(), b=origin(*of_b), gpus=0)
    rule = Rule(assumed=Assumed(seeds=Spread(value=0.01), images=0.0))
    rounds = Planted(running=RunOptions(), truth=truth, place=place, most=most)
    return _search(request, request.pair(), rule, rounds, "voc07/mAP", quiet=False)


def test_the_setting_is_named_with_its_interval_its_share_and_what_the_others_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    story = search(tmp_path, lambda recipe: 0.5 - 0.1 * (recipe.batch_size == 8), *OF_B)
    lines = [*capsys.readouterr().out.splitlines(), *story.conclusion()]
    assert lines[2:8] == [
        "they differ in 5 settings:",
        "  1  schedule.base_lr: 0.0007 → 0.01",
        "  2  batch_size: 4 → 8",
        "  3  optimiser: adamw → sgd",
        "  4  weight_decay: 0.0005 → 0.001",
        "  5  clip_norm: 0.0 → 1.0",
    ]
    assert lines[8] == "voc07/mAP: A 50.0 over 2 seeds, B 40.0 over 2 seeds"
    assert lines[9] == "comparison 1: A+1+2+3 40.0 over 2 seeds: nearer B"
    assert lines[-3].startswith("batch_size makes the difference: B's value in A changes voc07/mAP by -10.0 [")
    assert lines[-2].startswith("the other 4 together: +0.0 [")
    assert story.to_json()["found"] == ["batch_size"]
    assert len(story.to_json()["comparisons"]) <= 4


def test_settings_that_matter_only_together_are_named_each_with_its_effect_alone(tmp_path: Path) -> None:
    def truth(recipe: Recipe) -> float:
        return 0.5 - 0.1 * (recipe.batch_size == 8 and recipe.clip_norm > 0)

    head, first, second, *_ = search(tmp_path, truth, *OF_B).conclusion()
    assert head.startswith("batch_size and clip_norm make the difference only together: by -10.0 [")
    assert (first[:26], second[:25]) == ("  batch_size alone: +0.0 [", "  clip_norm alone: +0.0 [")


def test_without_a_difference_it_says_so_with_the_option_for_more_seeds(tmp_path: Path) -> None:
    (line, spent) = search(tmp_path, lambda _: 0.5, *OF_B).conclusion()
    assert line.startswith("no difference in voc07/mAP is shown: B minus A is +0.0 [")
    assert "--max-seeds" in line
    assert spent.startswith("0 combinations")


def test_a_search_ends_where_its_budget_does_and_says_what_continues_it(tmp_path: Path) -> None:
    story = search(tmp_path, lambda recipe: 0.5 - 0.1 * (recipe.batch_size == 8), *OF_B, most=6)
    assert story.conclusion() == ["stopped: the budget is spent"]
    assert story.to_json()["stopped"] == "the budget is spent"
    assert len(story.search.comparisons) == 1


def test_a_budget_that_is_no_time_is_refused() -> None:
    with pytest.raises(PipelineError, match="write it as 12h"):
        Rounds(running=RunOptions(), budget="12 hours")


def test_a_file_that_only_the_store_names_is_not_executed(tmp_path: Path) -> None:
    file = tmp_path / "named_by_a_store.py"
    file.write_text("raise SystemExit('executed')")
    of_file = Origin(address="train/x/seed0", request={"command": "run", "experiment": str(file)})
    request = BisectRequest(a=origin(), b=of_file)
    with pytest.raises(PipelineError, match="--own-file"):
        request.pair()
    with pytest.raises(SystemExit, match="executed"):
        replace(request, own_files=(str(file),)).pair()
    assert "own_files" not in replace(request, own_files=(str(file),)).to_json()


def test_combinations_are_named_by_the_numbers_of_their_settings() -> None:
    assert [label_of(places, 5) for places in ((), (2, 0), (0, 1, 2, 3, 4))] == ["A", "A+1+3", "B"]


def test_a_recorded_search_can_be_built_again() -> None:
    request = BisectRequest(a=origin(), b=origin(*OF_B), chosen=(Chosen(places=(1,), seeds=2),), gpus=0)
    again = request_from(json.loads(json.dumps(request.to_json())))
    assert again == request
    assert again.targets(again.placement()) == request.targets(request.placement())


@pytest.mark.slow
@pytest.mark.usefixtures("ray_session")
def test_two_stored_trainings_are_bisected_and_a_repeated_command_trains_nothing(tmp_path: Path) -> None:
    data = write(tmp_path / "cats", train=[Image()] * 4, test=[Image()] * 2)
    place = ["--store", str(tmp_path / "store"), "--no-mlflow", "--gpus", "0", "--in-process"]

    def ssdpipe(*arguments: str) -> str:
        done = CliRunner().invoke(app, [*arguments, *place])
        assert done.exit_code == 0, done.output
        return done.stdout

    train = ["train", "ssd-tiny", "--data", str(data), "-s", "batch_size=2", "-s", "schedule.iterations=2"]
    ssdpipe(*train)
    ssdpipe(*train, "-s", "schedule.base_lr=0", "-s", "momentum=0.8")
    keys = [each.key for each in trainings(tmp_path / "store")]
    shown = ssdpipe("bisect", *keys, "--dry-run")
    assert "1  schedule.base_lr: 0.0007 → 0.0" in shown
    found = json.loads(ssdpipe("bisect", *keys, "--max-seeds", "2", "--json"))
    assert (found["conclusion"], found["trainings_run"]) == ("none", 2)  # seed 1 of both; two steps teach neither
    assert json.loads(ssdpipe("bisect", *keys, "--max-seeds", "2", "--json")) == found | {"trainings_run": 0}


def trainings(store: Path) -> list[Manifest]:
    """Manifests of the trainings in a store, oldest first."""
    manifests = Store.open(str(store)).manifests()
    return [each for each in manifests if each.address.startswith("train/")]
