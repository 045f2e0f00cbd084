"""Weights are found in a file, in the store, and in MLflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from experiments.framework.detectors import load
from pipeline.errors import PipelineError
from pipeline.execution.executor import InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.mlflow_tracking.client import About, open_client
from pipeline.mlflow_tracking.observer import MlflowObserver
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.stage import Context, Stage
from pipeline.store.store import Store
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.weights import Weights, save_weights
from stages.training.weight_files import WEIGHTS

PICTURE = np.random.default_rng(0).integers(0, 256, (80, 100, 3), np.uint8)


def random_weights(seed: int) -> Weights:
    spec = ssd_tiny(("cat", "dog"))
    return Weights(spec=spec, state=initial_detector(spec, seed).state_dict())


@dataclass(frozen=True, kw_only=True)
class Trained(Stage):
    """Weights as a training leaves them: a kept checkpoint and the last."""

    kind = "train"
    seed: int

    def tracked_by(self) -> Stage:
        return self

    def models(self) -> Mapping[str, int]:
        return {"kept.pt": 1, WEIGHTS: 2}

    def run(self, ctx: Context) -> None:
        for name, seed in (("kept.pt", self.seed + 100), (WEIGHTS, self.seed)):
            with ctx.out.open_output(name) as stream:
                save_weights(random_weights(seed), stream)


@dataclass(frozen=True, kw_only=True)
class Judged(Stage):
    kind = "evaluate"
    weights: Stage

    def run(self, ctx: Context) -> None:
        ctx.out.write_json("numbers.json", 1)


def run(place: Path, *stages: Stage) -> Store:
    """A store with the results of the stages, recorded in its MLflow."""
    graph, store = Graph(stages), Store.open(str(place))
    observer = MlflowObserver(graph, store, About(name="trainings"), run_id="first")
    result = Scheduler(graph, store, InlineExecutor(), Resolver(graph), run_id="first", observers=[observer]).run()
    result.raise_for_failures()
    return store


def scores(seed: int) -> list[float]:
    return load(random_weights(seed), min_score=0.3)(PICTURE).scores.tolist()


def test_a_training_is_found_in_the_store_by_its_address(tmp_path: Path) -> None:
    one, other = Trained(seed=1, variant="cats/seed1"), Trained(seed=2, variant="cats/seed2")
    alone = Trained(seed=3, variant="alone/seed0")
    run(tmp_path, one, other, alone, Judged(weights=one, variant="cats/seed1"))
    found = {
        named: load(named, store=str(tmp_path), min_score=0.3)(PICTURE).scores.tolist()
        for named in ("train/cats/seed1", "train/cats/seed2", "train/alone")
    }
    assert found == {"train/cats/seed1": scores(1), "train/cats/seed2": scores(2), "train/alone": scores(3)}
    for named, message in (
        ("train/cats", "no result of a stage 'train/cats'"),  # two seeds
        ("evaluate/cats/seed1", "holds no weights: name the training, train/cats/seed1"),
    ):
        with pytest.raises(PipelineError, match=message):
            load(named, store=str(tmp_path))


def test_a_model_is_found_in_mlflow_by_its_id_its_run_its_version_and_its_alias(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")  # MLflow's registry reads no other
    store = run(tmp_path, Trained(seed=1, variant="cats/seed1"))
    client = open_client(store.folder)
    experiment = client.get_experiment_by_name("trainings").experiment_id
    models = {model.name: model for model in client.search_logged_models([experiment])}
    last, kept = models["cats-seed1"], models["cats-seed1 step 1"]
    client.create_registered_model("cats")
    for model in (kept, last):
        client.create_model_version("cats", f"models:/{model.model_id}")
    client.set_registered_model_alias("cats", "best", "1")
    run_id = last.source_run_id
    for uri, seed in {
        f"models:/{last.model_id}": 1,
        f"models:/{kept.model_id}": 101,
        f"runs:/{run_id}": 1,
        "models:/cats/1": 101,
        "models:/cats/2": 1,
        "models:/cats/latest": 1,
        "models:/cats@best": 101,
    }.items():
        assert load(uri, store=str(tmp_path), min_score=0.3)(PICTURE).scores.tolist() == scores(seed), uri
    with pytest.raises(PipelineError, match="MLflow has no weights at models:/dogs/1: "):
        load("models:/dogs/1", store=str(tmp_path))


def test_an_artifact_of_any_mlflow_run_may_hold_the_weights(tmp_path: Path) -> None:
    store = run(tmp_path / "store", Trained(seed=1, variant="cats/seed1"))
    client = open_client(store.folder)
    other = client.create_run(client.get_experiment_by_name("trainings").experiment_id).info.run_id
    with (tmp_path / "own.pt").open("wb") as stream:
        save_weights(random_weights(5), stream)
    client.log_artifact(other, str(tmp_path / "own.pt"), "model")
    for uri in (f"runs:/{other}/model/own.pt", f"runs:/{other}/model"):
        assert load(uri, store=str(tmp_path / "store"), min_score=0.3)(PICTURE).scores.tolist() == scores(5)


def test_without_mlflow_the_error_names_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"mlflow.db does not exist: name the store with --store, or the tracker"):
        load("models:/cats/1", store=str(tmp_path))
    assert not list(tmp_path.iterdir())


def test_initial_weights_are_refused(tmp_path: Path) -> None:
    whole = random_weights(0)
    backbone = {name: tensor for name, tensor in whole.state.items() if name.startswith("features.conv1")}
    with pytest.raises(PipelineError, match="initial weights for a training"):
        load(Weights(spec=whole.spec, state=backbone))
