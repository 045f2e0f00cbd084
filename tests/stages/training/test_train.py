"""Training stages in the process of the test and, where it matters, with real Ray Train workers."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import ray
import torch
from ray.train.v2.api.exceptions import WorkerGroupError
from torch import Tensor

from pipeline.errors import Interrupted, PipelineError
from pipeline.execution.run_stage import StageContext
from pipeline.folder import Folder
from pipeline.stage import Stage
from pipeline.store.record import Point, Progress, read_curve, read_progress, request_stop
from ssd_core.spec.augmentation import STARRED
from ssd_core.spec.detector import Preprocessing
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule
from ssd_core.weights.weights import Weights, load_weights, save_weights
from stages.training import ray_job
from stages.training.initial import WeightsFile
from stages.training.train import Train
from stages.training.weight_files import kept_weights

if TYPE_CHECKING:
    from ssd_core.spec.detector import DetectorSpec

InProcess = Callable[..., StageContext]


@pytest.fixture
def training(drawn: Any, small_spec: DetectorSpec) -> Train:
    """Twelve steps of 4 of 13 images, in the process of the stage; a checkpoint every second step."""
    schedule = Schedule(iterations=12, base_lr=1e-3, drops=(10,))
    recipe = Recipe(spec=small_spec, batch_size=4, schedule=schedule, augmentation=STARRED, seed=1, keep_every=5)
    return Train(recipe=recipe, shards=drawn.train, workers=0, checkpoint_steps=2, log_steps=1)


def weights(folder: Folder, name: str = "weights.pt") -> Weights:
    with folder.open_input(name) as stream:
        return load_weights(stream)


def assert_same(one: Weights, other: Weights) -> None:
    assert one.spec == other.spec
    assert one.state.keys() == other.state.keys()
    assert [name for name in one.state if not torch.equal(one.state[name], other.state[name])] == []


def done(stage: Stage, in_process: InProcess, name: str, folders: dict[Any, Folder]) -> StageContext:
    ctx = in_process(stage, name, folders)
    stage.run(ctx)
    return ctx


def test_the_result_is_the_last_weights_and_those_kept_for_validation(training, in_process, drawn, small_spec):
    ctx = done(training, in_process, "a", drawn.folders)
    assert ctx.out.files() == [kept_weights(5), kept_weights(10), "weights.pt"]
    last, fifth = weights(ctx.out), weights(ctx.out, kept_weights(5))
    assert last.spec == fifth.spec == small_spec
    assert last.detector().state_dict().keys() == last.state.keys()
    assert not torch.equal(last.state["heads.conv7.logits.weight"], fifth.state["heads.conv7.logits.weight"])
    assert all(isinstance(value, Tensor) and value.isfinite().all() for value in last.state.values())


def test_a_training_with_moving_averages_results_in_them_also_where_it_was_stopped(
    training, in_process, drawn, monkeypatch
):
    plain = done(training, in_process, "plain", drawn.folders)
    training = replace(training, recipe=replace(training.recipe, ema_decay=0.9))
    undisturbed = done(training, in_process, "a", drawn.folders)
    ctx = in_process(training, "b", drawn.folders)
    asked = iter([False] * 6 + [True])
    monkeypatch.setattr(ctx, "stop_requested", lambda: next(asked))
    with pytest.raises(Interrupted, match="stopped at step 7"):
        training.run(ctx)
    done(training, in_process, "b", drawn.folders)
    for name in ("weights.pt", kept_weights(10)):
        assert_same(weights(ctx.out, name), weights(undisturbed.out, name))
        last, averages = weights(plain.out, name).state, weights(undisturbed.out, name).state
        changed = {key for key in last if not torch.equal(last[key], averages[key])}
        assert changed == set(last)


def test_curves_and_progress_are_reported_during_the_training(training, in_process, drawn):
    ctx = done(training, in_process, "a", drawn.folders)
    curve = read_curve(ctx.work)
    assert [point.step for point in curve] == list(range(1, 13))
    assert {"loss", "loss/location", "loss/confidence", "learning_rate"} <= curve[0].values.keys()
    assert curve[-1].values["learning_rate"] == pytest.approx(1e-4)
    progress = read_progress(ctx.work)
    assert progress is not None
    assert (progress.done, progress.total) == (12, 12)


def test_a_training_that_failed_half_way_resumes_and_ends_with_bitwise_the_same_weights(
    training, in_process, drawn, monkeypatch
):
    undisturbed = done(training, in_process, "a", drawn.folders)
    ctx = in_process(training, "b", drawn.folders)

    def dies(step: int, values: object) -> None:
        if step == 7:
            raise KeyboardInterrupt

    monkeypatch.setattr(ctx, "record", dies)
    with pytest.raises(KeyboardInterrupt):
        training.run(ctx)
    assert ctx.out.files() == []
    assert [point.step for point in read_curve(ctx.work)] == []
    done(training, in_process, "b", drawn.folders)  # with the same work folder
    assert [point.step for point in read_curve(ctx.work)] == list(range(7, 13))  # after the checkpoint of step 6
    assert_same(weights(ctx.out), weights(undisturbed.out))


def test_a_stop_saves_the_step_reached_and_the_resumed_training_has_bitwise_the_same_weights(
    training, in_process, drawn, monkeypatch
):
    training = replace(training, checkpoint_steps=1000)
    undisturbed = done(training, in_process, "a", drawn.folders)
    ctx = in_process(training, "b", drawn.folders)
    asked = iter([False] * 6 + [True])
    monkeypatch.setattr(ctx, "stop_requested", lambda: next(asked))
    with pytest.raises(Interrupted, match="stopped at step 7, which is saved"):
        training.run(ctx)
    assert ctx.out.files() == []
    assert [file for file in ctx.work.files() if "checkpoints" in file] == [
        f"checkpoints/step-{step:09d}.pt" for step in (5, 7)
    ]
    done(training, in_process, "b", drawn.folders)
    assert_same(weights(ctx.out), weights(undisturbed.out))


def test_the_file_stop_in_the_work_folder_stops_workers_of_ray_train(training, in_process, drawn, ray_session):
    endless = replace(training.recipe.schedule, iterations=1_000_000)
    training = replace(training, workers=1, recipe=replace(training.recipe, schedule=endless))
    ctx = in_process(training, "a", drawn.folders)

    def ask_after_the_first_steps() -> None:
        while not (read_progress(ctx.work) or Progress(0, 0, "", 0)).done:
            time.sleep(0.1)
        request_stop(ctx.work)

    asking = threading.Thread(target=ask_after_the_first_steps, daemon=True)
    asking.start()
    with pytest.raises(Interrupted, match=r"stopped at step [1-9]\d*, which is saved"):
        training.run(ctx)


def test_a_stop_before_the_first_step_has_nothing_to_save(training, in_process, drawn, ray_session):
    ctx = in_process(training, "a", drawn.folders)
    request_stop(ctx.work)
    with pytest.raises(Interrupted, match="stopped before its first step"):
        replace(training, workers=1).run(ctx)


def test_workers_that_crash_after_a_stop_have_not_saved_their_step(
    training, in_process, drawn, ray_session, monkeypatch
):
    ctx = in_process(training, "a", drawn.folders)
    requested: list[bool] = []

    class Crashes:
        def fit(self) -> None:
            requested.append(True)
            raise WorkerGroupError("out of memory", {0: RuntimeError("out of memory")})

    monkeypatch.setattr(ctx, "stop_requested", lambda: bool(requested))
    monkeypatch.setattr(ray_job, "_trainer", lambda job, resources: Crashes())
    with pytest.raises(WorkerGroupError, match="out of memory"):
        replace(training, workers=1).run(ctx)
    assert requested == [True], "no group is started again"


def test_a_training_that_lost_only_its_result_is_not_repeated(training, in_process, drawn):
    ctx = done(training, in_process, "a", drawn.folders)
    first, curve = weights(ctx.out), ctx.work.read_bytes("metrics.jsonl")
    ctx.out.delete()
    training.run(ctx)
    assert_same(weights(ctx.out), first)
    assert ctx.work.read_bytes("metrics.jsonl") == curve


def test_a_loss_that_is_not_finite_is_reported_as_a_user_error(training, in_process, drawn):
    schedule = replace(training.recipe.schedule, base_lr=1e30)
    stage = replace(training, recipe=replace(training.recipe, schedule=schedule))
    ctx = in_process(stage, "a", drawn.folders)
    with pytest.raises(PipelineError, match=r"not finite \(learning rate 1e\+30\); images of its batch: "):
        stage.run(ctx)
    assert ctx.out.files() == []


def test_shards_with_other_classes_than_the_detector_are_refused(training, in_process, drawn, small_spec):
    other = replace(small_spec, classes=tuple(reversed(small_spec.classes)))
    stage = replace(training, recipe=replace(training.recipe, spec=other))
    with pytest.raises(PipelineError, match="shard the images with the classes of the detector, in their order"):
        stage.run(in_process(stage, "a", drawn.folders))


def test_a_training_that_starts_from_weights_adopts_their_preprocessing(
    training, in_process, drawn, small_spec, tmp_path: Path
):
    rgb = Preprocessing(channel_order="rgb", mean=(120.0, 110.0, 100.0), std=(50.0, 60.0, 70.0))
    before = weights(done(training, in_process, "a", drawn.folders).out)
    initial = tmp_path / "mine.pt"
    with initial.open("wb") as stream:
        save_weights(Weights(spec=replace(small_spec, preprocessing=rgb), state=before.state), stream)
    file = WeightsFile(path=str(initial))
    folder = done(file, in_process, "file", {}).out
    frozen = replace(training.recipe, schedule=Schedule(iterations=1, base_lr=0.0, drops=()), keep_every=0)
    stage = replace(training, recipe=frozen, initial=file)
    after = weights(done(stage, in_process, "b", drawn.folders | {file: folder}).out)
    assert after.spec.preprocessing == rgb
    assert all(torch.equal(after.state[name], before.state[name]) for name in before.state)


class Lethal(StageContext):
    """Kills the process that records step 7 for the first time."""

    def record(self, step: int, values: Mapping[str, float]) -> None:
        super().record(step, values)
        if step == 7 and not self.work.exists("killed"):
            self.work.write_bytes("killed", b"")
            os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_worker_of_ray_train_is_restarted_and_the_weights_are_those_of_an_undisturbed_training(
    training, in_process, drawn, ray_session
):
    undisturbed = done(training, in_process, "a", drawn.folders)
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import this file
    ctx = in_process(training, "b", drawn.folders)
    ctx.__class__ = Lethal
    replace(training, workers=1).run(ctx)
    points = [Point.parse(line) for line in ctx.work.read_bytes("metrics.jsonl").splitlines()]
    assert [point.step for point in points if point] == [*range(1, 8), *range(7, 13)]
    assert_same(weights(ctx.out), weights(undisturbed.out))


@pytest.mark.slow
def test_a_user_error_ends_workers_of_ray_train_at_once(training, in_process, drawn, ray_session):
    schedule = replace(training.recipe.schedule, base_lr=1e30)
    stage = replace(training, workers=2, recipe=replace(training.recipe, schedule=schedule, batch_size=5))
    ctx = in_process(stage, "a", drawn.folders)
    with pytest.raises(PipelineError, match=r"not finite \(learning rate 1e\+30\)"):
        stage.run(ctx)
    assert len(ctx.work.read_bytes("metrics.jsonl").splitlines()) == 1  # one finite step, and no second start


DRIVER = """
import pickle, sys
from pathlib import Path
from pipeline.execution.executor import InlineExecutor
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.execution.scheduler import Scheduler
from pipeline.store.store import Store

def main(folder, on_ray):
    executor = InlineExecutor()
    if on_ray:
        from pipeline.ray_backend import session as ray_session
        from pipeline.ray_backend.executor import RayExecutor
        ray_session.connect(cpus=2, gpus=0, dashboard=False)
        executor = RayExecutor()
    graph = Graph([pickle.loads(Path(folder, "stage").read_bytes())])
    store = Store.open(f"{folder}/store")
    result = Scheduler(graph, store, executor, Resolver(graph), run_id="run").run()
    result.raise_for_failures()
    print(store.output(result.outcomes[graph.targets[0]].manifest).uri)

if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] == "ray")
"""


@pytest.mark.parametrize("where", ["inline", pytest.param("ray", marks=pytest.mark.slow)])
def test_a_killed_driver_is_finished_by_the_same_command_with_the_weights_of_an_undisturbed_run(
    training, tmp_path: Path, where: str
):
    schedule = Schedule(iterations=80, base_lr=1e-3, drops=(60,))
    stage = replace(training, workers=int(where == "ray"), recipe=replace(training.recipe, schedule=schedule))

    def start(name: str) -> subprocess.Popen[str]:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "stage").write_bytes(pickle.dumps(stage))
        (folder / "driver.py").write_text(DRIVER)
        return subprocess.Popen(
            [sys.executable, folder / "driver.py", folder, where], stdout=subprocess.PIPE, text=True
        )

    undisturbed = _result(start("undisturbed"))
    victim = start("killed")
    while not list(tmp_path.glob("killed/store/work/*/checkpoints/step-00000001*.pt")):
        assert victim.poll() is None
        time.sleep(0.01)
    victim.kill()
    victim.wait()
    killed = start("killed")
    finished = _result(killed)
    steps = [point.step for point in read_curve(finished)]
    assert steps == list(range(1, 81))
    assert_same(weights(finished), weights(undisturbed))


def _result(driver: subprocess.Popen[str]) -> Folder:
    output, _ = driver.communicate(timeout=240)
    assert driver.returncode == 0
    return Folder(output.splitlines()[-1])
