"""Validation of kept checkpoints, compared with detection and evaluation of the same weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pipeline.errors import PipelineError
from pipeline.execution.run_stage import StageContext
from pipeline.folder import Folder
from pipeline.store.record import read_curve
from ssd_core.metrics.voc_ap import ILSVRC_TOLERANCE
from ssd_core.spec.augmentation import FLIP_ONLY
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule
from stages.detection.detect import Detect
from stages.evaluation.evaluate import Evaluate
from stages.evaluation.evaluate_coco import EvaluateCoco
from stages.evaluation.protocol import Protocol
from stages.evaluation.validate import Validate
from stages.graphs import validated
from stages.placement import Placement
from stages.training.train import Train
from stages.training.weight_files import kept_weights

InProcess = Callable[..., StageContext]


@pytest.fixture
def training(drawn: Any, small_spec: Any) -> Train:
    """A training long enough to detect something in its own training images."""
    recipe = Recipe(
        spec=small_spec,
        batch_size=8,
        schedule=Schedule(iterations=50, base_lr=3e-3),
        augmentation=FLIP_ONLY,
        optimiser="adamw",
        keep_every=20,
    )
    return Train(recipe=recipe, shards=drawn.train, workers=0, variant="small")


METRICS: dict[Protocol, str] = {"voc": "voc07/mAP", "ilsvrc": "ilsvrc/mAP", "coco": "coco/AP"}


def scores(
    training: Train, trained: Folder, step: int, protocol: Protocol, in_process: InProcess, folders: dict[Any, Folder]
) -> float:
    """Scores by the stages that evaluate a test split."""
    detect = Detect(
        weights=training, weights_file=kept_weights(step), shards=training.shards, allow_trained_images=True
    )
    found = in_process(detect, f"detect{step}{protocol}", {**folders, training: trained})
    detect.run(found)
    kinds = {
        "voc": Evaluate(detections=detect, shards=training.shards),
        "ilsvrc": Evaluate(detections=detect, shards=training.shards, pixel_tolerance=ILSVRC_TOLERANCE),
        "coco": EvaluateCoco(detections=detect, shards=training.shards),
    }
    evaluate = kinds[protocol]
    judged = in_process(evaluate, f"evaluate{step}", {**folders, detect: found.out})
    evaluate.run(judged)
    return float(judged.out.read_json("summary.json")[METRICS[protocol]])


def test_each_kept_checkpoint_is_a_point_of_the_curve_with_the_score_of_an_evaluation(training, in_process, drawn):
    trained = in_process(training, "train", drawn.folders)
    training.run(trained)
    found = {}
    for protocol in METRICS:
        stage = validated(
            training, validation=drawn.train, placement=Placement(), protocol=protocol, allow_trained_images=True
        )
        ctx = in_process(stage, f"validate-{protocol}", {**drawn.folders, training: trained.out})
        stage.run(ctx)
        expected = {step: scores(training, trained.out, step, protocol, in_process, drawn.folders) for step in (20, 40)}
        check(ctx, expected)
        found[protocol] = expected
    assert len({expected[40] for expected in found.values()}) == 3


def check(ctx: StageContext, expected: dict[int, float]) -> None:
    """Check the curve and its best point."""
    assert {point.step: point.values["validation/mAP"] for point in read_curve(ctx.work)} == expected
    best = max(expected, key=lambda step: expected[step])
    assert ctx.out.read_json("summary.json") == {"validation/best_mAP": expected[best], "validation/best_step": best}
    assert expected[20] != expected[40]


def test_the_checkpoints_are_those_that_the_training_keeps(training, drawn):
    stage = validated(training, validation=drawn.test, placement=Placement(detection_workers=3))
    assert (stage.iterations, stage.workers, stage.address) == ((20, 40), 3, "validate/small")
    assert stage.tracked_by() is training


def test_without_kept_checkpoints_the_error_names_the_setting_to_change(training, in_process, drawn):
    none = replace(training, recipe=replace(training.recipe, keep_every=0))
    stage = validated(none, validation=drawn.test, placement=Placement())
    assert isinstance(stage, Validate)
    with pytest.raises(PipelineError, match="keep_every"):
        stage.run(in_process(stage, "validate", {**drawn.folders, none: Folder("nowhere")}))
