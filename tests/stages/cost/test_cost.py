"""Estimates of what a run will cost. Expected numbers by hand from the paper's schedule (60,000 iterations of 32
images) and the published 31.37 giga multiply-adds and 26,285,486 parameters of SSD300."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from pipeline.errors import PipelineError
from pipeline.execution.executor import InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.keys.fingerprint import describe
from pipeline.planning.graph import Graph
from pipeline.planning.plan import plan
from pipeline.planning.resolver import Resolver
from pipeline.stage import Resources, Stage
from pipeline.store.record import CURVE, Point, write_progress
from pipeline.store.store import Store
from ssd_core.detection.limits import DetectionLimits
from ssd_core.spec.paper import ssd300, ssd512
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule
from stages.cost.cost import Cost, cost
from stages.cost.disk import checkpoint_bytes, result_bytes, weights_bytes
from stages.cost.past import PastRun, past_runs, rebuilt
from stages.cost.prices import ASSUMED_TFLOPS, Prices
from stages.cost.work import TRAINING, Work, Works, listed_images, training_work
from stages.datasets.coco.coco_folder import CocoFolder
from stages.datasets.voc import VocFolder
from stages.detection.detect import Detect
from stages.drawn.draw import Draw
from stages.evaluation.evaluate import Evaluate
from stages.shards.shard import Shard
from stages.training.train import Train

SSD300_IMAGES = 60_000 * 32
SSD300_FLOPS = 3 * 2 * 31.37e9 * SSD300_IMAGES
SSD300_PARAMETERS = 26_285_486

TRAIN = "stages.training.train.Train"
GPUS = Resources(cpus=math.inf, gpus=8)


def shards(split: str, draw: Draw | None = None) -> Shard:
    within = draw or Draw(train=12, test=5, sides=(64, 96))
    return Shard(sources=(VocFolder(name="drawn", split=split, within=within),), variant=split)


def on_gpus(number: int, count: int = 1, **recipe: Any) -> list[Train]:
    """Trainings of SSD300, each on `number` GPUs."""
    place: dict[str, Any] = {"shards": shards("train"), "workers": number, "use_gpu": True}
    return [Train(recipe=Recipe(seed=seed, **recipe), variant=f"seed{seed}", **place) for seed in range(count)]


def costs(store: Store, *targets: Stage, total: Resources = GPUS, tflops: float | None = None) -> Cost:
    graph = Graph(targets)
    return cost(graph, plan(graph, store, Resolver(graph)), store, total, tflops)


def run(store: Store, *targets: Stage) -> None:
    graph = Graph(targets)
    Scheduler(graph, store, InlineExecutor(), Resolver(graph), run_id="r").run().raise_for_failures()


def past(work: Work | None, seconds: float, **changes: Any) -> PastRun:
    run = PastRun(stage=TRAIN, work=work, device="gpu", device_name="H200", device_seconds=seconds, size=0)
    return replace(run, **changes)


@pytest.fixture
def store(tmp_path) -> Store:
    return Store.open(str(tmp_path / "store"))


def test_work_of_the_paper_s_training_is_images_times_published_operations():
    work = training_work(Recipe())
    assert work.images == SSD300_IMAGES == 1_920_000
    assert work.flops == pytest.approx(SSD300_FLOPS, rel=2e-4)


def test_detection_is_one_pass_over_the_test_images(store):
    (training,) = on_gpus(1)
    work = Works(store, {}).of(Detect(weights=training, shards=shards("test")))
    assert work is not None
    assert work.images == 5
    assert work.flops == pytest.approx(2 * 31.37e9 * 5, rel=2e-4)


def test_the_number_of_images_of_a_published_split_is_known_before_the_data_is_downloaded(tmp_path):
    source = VocFolder(name="voc2007", root=str(tmp_path), folder="VOC2007", split="test")
    assert listed_images(source) == 4952
    assert listed_images(replace(source, name="mine")) == 0
    coco = CocoFolder(name="coco2017", root=str(tmp_path), split="trainval35k")
    assert listed_images(coco) == 118_287


def test_without_past_runs_time_follows_from_an_assumed_rate_or_a_given_one(store):
    assumed, given = costs(store, *on_gpus(1)), costs(store, *on_gpus(1), tflops=150)
    (train,) = [stage for stage in assumed.stages if stage.kind == "train"]
    assert train.origin == "assumed"
    assert train.device_seconds == pytest.approx(SSD300_FLOPS / (ASSUMED_TFLOPS["gpu", "fp32"] * 1e12), rel=2e-4)
    (train,) = [stage for stage in given.stages if stage.kind == "train"]
    assert train.origin == "given"
    assert train.device_seconds == pytest.approx(SSD300_FLOPS / 150e12, rel=2e-4)
    assert given.device_hours("gpu") == pytest.approx(SSD300_FLOPS / 150e12 / 3600, rel=2e-4)


def test_past_runs_of_the_same_shape_set_the_time_per_image():
    spec = ssd300()
    done = [past(Work(images=1000, spec=spec, passes=TRAINING), seconds) for seconds in (30.0, 20.0, 10.0)]
    price = Prices(done).of(TRAIN, Work(images=5000, spec=spec, passes=TRAINING), "gpu")
    assert (price.device_seconds, price.origin, price.device_name) == (pytest.approx(100), "same", "H200")


def test_past_runs_of_another_shape_set_the_time_per_operation_but_not_for_other_devices_or_precisions():
    done = [past(Work(images=1000, spec=ssd300(), passes=TRAINING), 31.37)]
    larger = Work(images=1000, spec=ssd512(), passes=TRAINING)
    price = Prices(done).of(TRAIN, larger, "gpu")
    assert price.origin == "other"
    assert price.device_seconds == pytest.approx(90.21, rel=1e-3)  # giga multiply-adds: 90.21 beside 31.37
    assert Prices(done).of(TRAIN, larger, "cpu").origin == "assumed"
    assert Prices(done).of(TRAIN, replace(larger, precision="bf16"), "gpu").origin == "assumed"
    assert Prices(done).of("stages.detection.detect.Detect", larger, "gpu").origin == "assumed"


def test_the_start_of_past_trainings_is_not_multiplied_by_the_length_of_further_ones():
    spec = ssd300()
    done = [past(Work(images=240, spec=spec, passes=TRAINING), 32.0, start=26.0)]
    same, other = (
        Prices(done).of(TRAIN, Work(images=24_000, spec=each, passes=TRAINING), "gpu") for each in (spec, ssd512())
    )
    assert (same.start, same.device_seconds) == (26, pytest.approx(26 + 600))
    assert (other.start, other.device_seconds) == (26, pytest.approx(26 + 600 * 90.21 / 31.37, rel=1e-3))


def test_only_the_newest_past_runs_count():
    work = Work(images=10, spec=ssd300(), passes=TRAINING)
    done = [*(past(work, 1000.0) for _ in range(40)), *(past(work, 10.0) for _ in range(20))]
    assert Prices(done).of(TRAIN, work, "gpu").device_seconds == pytest.approx(10)


def test_the_cost_of_a_stage_without_arithmetic_that_never_ran_is_unknown(store):
    origins = {stage.kind: stage.origin for stage in costs(store, *on_gpus(1)).stages}
    assert origins == {"draw": "unknown", "shard": "unknown", "train": "assumed"}


def test_four_gpus_share_a_training_and_twelve_trainings_take_turns(store):
    one = SSD300_FLOPS / 20e12
    assert costs(store, *on_gpus(4), total=replace(GPUS, gpus=4)).wall_seconds[4] == pytest.approx(one / 4, rel=2e-4)
    wall = costs(store, *on_gpus(1, count=12), total=GPUS).wall_seconds
    assert list(wall) == [8, 1, 12]
    assert [wall[8], wall[1], wall[12]] == pytest.approx([2 * one, 12 * one, one], rel=2e-4)


def test_a_training_larger_than_the_available_resources_is_refused(store):
    with pytest.raises(PipelineError, match="asks for 16 GPUs, but there are 8 in all"):
        costs(store, *on_gpus(16))


def test_weights_take_four_bytes_per_parameter_and_checkpoints_also_hold_the_momentum():
    (sgd,) = on_gpus(1)
    (kept,) = on_gpus(1, keep_every=30_000, optimiser="adamw")
    assert weights_bytes(sgd) == 4 * SSD300_PARAMETERS
    assert checkpoint_bytes(sgd) == 3 * 2 * 4 * SSD300_PARAMETERS
    assert weights_bytes(kept) == 3 * 4 * SSD300_PARAMETERS
    assert checkpoint_bytes(kept) == 5 * 3 * 4 * SSD300_PARAMETERS


def test_peak_disk_space_includes_the_checkpoints_of_all_concurrent_trainings(store):
    estimate = costs(store, *on_gpus(2, count=12), total=GPUS)  # four at once
    assert estimate.peak_bytes - estimate.result_bytes == 4 * 6 * 4 * SSD300_PARAMETERS


def test_the_size_of_new_shards_is_estimated_from_past_ones():
    done = past(Work(images=100), 1.0, stage="stages.shards.shard.Shard", size=5_000)
    assert result_bytes(shards("train"), Work(images=30), [done]) == 1_500
    assert result_bytes(shards("train"), Work(images=30), []) == 30 * 90_000


def test_a_cached_training_costs_nothing_and_sets_the_price_of_further_ones(store, small_spec):
    done = _trained_small(small_spec, seed=0)
    run(store, done)
    again = costs(store, done, total=Resources(cpus=2))
    assert (again.stages, again.wall_seconds, again.peak_bytes) == ((), {2: 0.0}, 0)
    (before,) = [each for each in past_runs(store) if each.stage == TRAIN]
    (train,) = costs(store, _trained_small(small_spec, seed=1, iterations=40), total=Resources(cpus=2)).stages
    assert (train.origin, train.device, train.images) == ("same", "cpu", 40 * 2)
    steps = before.device_seconds - before.start  # 4 iterations were done
    assert train.device_seconds == pytest.approx(before.start + 10 * steps)


def test_past_runs_are_read_with_the_work_that_they_did(store, small_spec):
    training = _trained_small(small_spec, seed=0)
    test = shards("test", training.shards.sources[0].within)  # type: ignore[attr-defined]
    detections = Detect(weights=training, shards=test)
    run(store, Evaluate(detections=detections, shards=test))
    work = {each.stage.rpartition(".")[2]: each.work for each in past_runs(store)}
    assert work["Train"] == training_work(training.recipe)
    assert work["Detect"] == Works(store, {}).of(detections)
    assert work["Draw"] == Work(images=17)
    assert work["Evaluate"] is None
    assert (
        costs(store, Evaluate(detections=replace(detections, limits=DetectionLimits(per_image=10)), shards=test))
        .stages[-1]
        .origin
        == "same"
    )


def test_the_start_of_a_training_is_read_off_its_curve(store, small_spec):
    run(store, _trained_small(small_spec, seed=0))
    (key,) = [each.key for each in store.manifests() if each.ingredients.stage == TRAIN]
    manifest = json.loads(store.folder.read_bytes(f"keys/{key}.json"))
    store.folder.replace(f"keys/{key}.json", json.dumps(manifest | {"seconds": 30.0}).encode())
    output = store.output(next(each for each in store.manifests() if each.key == key))
    output.replace(CURVE, b"".join(Point(step, 100.0 + step, {}).line() for step in (1, 4)))  # a second for each step
    (before,) = [each for each in past_runs(store) if each.stage == TRAIN]
    cpus = before.device_seconds / 30
    assert before.start == pytest.approx(26 * cpus)
    (train,) = costs(store, _trained_small(small_spec, seed=1, iterations=40), total=Resources(cpus=2)).stages
    assert train.seconds == pytest.approx(26 + 40)


def test_a_training_resumed_after_a_crash_is_not_used_for_estimates(store, small_spec):
    run(store, _trained_small(small_spec, seed=0))
    (key,) = [each.key for each in store.manifests() if each.ingredients.stage == TRAIN]
    path = f"keys/{key}.json"
    manifest = json.loads(store.folder.read_bytes(path))
    store.folder.replace(path, json.dumps(manifest | {"seconds": 1e-6}).encode())  # less than its curve spans
    assert TRAIN not in [each.stage for each in past_runs(store)]


def test_only_the_remaining_part_of_an_interrupted_training_counts(store, small_spec):
    training = _trained_small(small_spec, seed=0)
    run(store, training.shards)
    graph = Graph([training])
    (row,) = [row for row in plan(graph, store, Resolver(graph)) if row.node.stage == training]
    work = store.work(row.key)
    write_progress(work, 3, 4, "")
    work.write_bytes("checkpoints/step-000000003.pt", b"...")
    (train,) = costs(store, training, total=Resources(cpus=2)).stages
    assert train.images == pytest.approx(2)  # one iteration of four


def test_settings_in_a_manifest_are_rebuilt_as_the_original_dataclasses(store, small_spec):
    recorded = json.loads(json.dumps(describe(_trained_small(small_spec, seed=0)).settings))
    assert rebuilt(recorded["recipe"]["spec"]) == small_spec
    with pytest.raises(ImportError, match="does not import antigravity"):
        rebuilt({"$class": "antigravity.Spec"})


def _trained_small(spec: Any, *, seed: int, iterations: int = 4) -> Train:
    recipe = Recipe(
        spec=spec,
        schedule=Schedule(iterations=iterations, drops=()),
        batch_size=2,
        seed=seed,
    )
    data = Shard(sources=shards("train").sources, classes=spec.classes)
    return Train(recipe=recipe, shards=data, workers=0, log_steps=1)


def test_the_cost_of_stages_without_a_network_is_estimated_without_torch(tmp_path):
    code = f"""
import math, sys
from pipeline.planning.graph import Graph
from pipeline.planning.plan import plan
from pipeline.planning.resolver import Resolver
from pipeline.stage import Resources
from pipeline.store.store import Store
from stages.cost.cost import cost
from stages.drawn.draw import Draw
from stages.shards.shard import Shard
from stages.datasets.voc import VocFolder
graph = Graph([Shard(sources=(VocFolder(name="drawn", split="train", within=Draw()),))])
store = Store.open({str(tmp_path)!r})
found = cost(graph, plan(graph, store, Resolver(graph)), store, Resources(cpus=math.inf, gpus=1))
print([stage.images for stage in found.stages], {{"torch", "ray", "mlflow", "cv2"}} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[1500.0, 1200.0] set()"


def test_an_integral_float_is_rebuilt_as_a_float() -> None:
    schedule = rebuilt({"$class": "ssd_core.spec.schedule.Schedule", "base_lr": 1, "drops": []})
    assert isinstance(schedule.base_lr, float)


@pytest.mark.parametrize(
    "name", ["os.system", "subprocess.run", "ssd_core.spec.plain.to_plain", "ssd_core.spec.detector.dataclass"]
)
def test_a_manifest_cannot_name_anything_to_call_but_a_class_of_settings(name: str) -> None:
    with pytest.raises(TypeError, match="is not a class of settings"):
        rebuilt({"$class": name, "command": "exit 1"})


def test_a_manifest_cannot_name_a_module_to_import() -> None:
    with pytest.raises(ImportError, match="does not import antigravity"):
        rebuilt({"$class": "antigravity.Fly"})


def test_a_past_run_whose_settings_describe_no_network_sets_no_price() -> None:
    unchecked: dict[str, Any] = {"channels": "many"}
    layer, *others = ssd300().extras
    impossible = Work(images=10, spec=replace(ssd300(), extras=(replace(layer, **unchecked), *others)), passes=TRAINING)
    assert Prices([past(impossible, 1.0)]).of(TRAIN, training_work(Recipe()), "gpu").origin == "assumed"


def test_a_past_result_without_an_image_sets_no_price(store) -> None:
    run(store, shards("train"))
    (manifest,) = [each for each in store.manifests() if each.ingredients.stage == "stages.shards.shard.Shard"]
    store.output(manifest).write_bytes("shards.json", b"{}")
    assert {each.work for each in past_runs(store)} == {None, Work(images=17)}
    assert costs(store, shards("test")).stages
