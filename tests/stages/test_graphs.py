"""From a recipe to its stages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline.keys.fingerprint import describe
from pipeline.planning.graph import Graph
from ssd_core.spec.recipe import Recipe
from stages.evaluation.evaluate import Evaluate
from stages.evaluation.evaluate_coco import EvaluateCoco
from stages.evaluation.validate import Validate
from stages.graphs import Evaluation, scored, trained, validated
from stages.placement import Placement
from stages.training.train import Train

HERE = Placement()


@pytest.fixture
def recipe(small_spec: Any) -> Recipe:
    return Recipe(spec=small_spec, keep_every=20_000)


def evaluated(recipe: Recipe, drawn: Any, placement: Placement = HERE, **scoring: Any) -> Evaluation:
    """The recipe, trained on the drawn training images and scored on the test images."""
    training = trained(recipe, shards=drawn.train, variant="a", placement=placement)
    return scored(training, test=drawn.test, variant="a", training=training, placement=placement, **scoring)


def test_a_recipe_becomes_training_detection_and_evaluation_in_this_order(recipe, drawn):
    graph = Graph([evaluated(recipe, drawn)])
    assert [node.address for node in graph.nodes.values() if node.stage not in (drawn.train, drawn.test)] == [
        "draw",
        "train/a",
        "detect/a",
        "evaluate/a",
    ]


def test_placement_reaches_the_stages_and_changes_none_of_them(recipe, drawn):
    place = Placement(workers=4, use_gpu=True, cpus_per_worker=2, loader_processes=3, detection_workers=5)
    far = evaluated(recipe, drawn, place)
    near = evaluated(recipe, drawn)
    training, detection = far.training, far.detections
    assert isinstance(training, Train)
    assert (training.workers, training.use_gpu, training.cpus_per_worker, training.loader_processes) == (4, True, 2, 3)
    assert (training.resources.cpus, training.resources.gpus) == (8, 4)
    assert (detection.resources.cpus, detection.resources.gpus) == (5, 5)
    assert Graph([far]).targets == Graph([near]).targets


def test_weights_from_elsewhere_are_scored_without_a_training(recipe, drawn):
    weights = Train(recipe=recipe, shards=drawn.train)
    evaluation = scored(weights, test=drawn.test, variant="a", placement=Placement())
    assert evaluation.tracked_by() is None


def test_a_training_does_not_depend_on_its_validation(recipe, drawn):
    evaluation = evaluated(recipe, drawn)
    assert isinstance(evaluation.training, Train)
    stage = validated(evaluation.training, validation=drawn.test, placement=Placement())
    assert stage.iterations == (20_000, 40_000, 60_000)
    assert isinstance(stage, Validate)
    assert stage not in describe(evaluation.training).inputs.values()
    assert len(Graph([evaluation, stage]).nodes) == len(Graph([evaluation]).nodes) + 1


def test_the_protocol_chooses_the_last_stage_and_nothing_before_it(recipe, drawn):
    ways = {protocol: evaluated(recipe, drawn, protocol=protocol) for protocol in ("voc", "ilsvrc", "coco")}
    assert ways["voc"] == evaluated(recipe, drawn)
    assert isinstance(ways["voc"], Evaluate)
    assert ways["ilsvrc"] == replace(ways["voc"], pixel_tolerance=10.0)
    assert isinstance(ways["coco"], EvaluateCoco)
    assert {way.detections for way in ways.values()} == {ways["voc"].detections}
    assert ways["coco"].tracked_by() == ways["coco"].training == ways["voc"].training
    assert len(Graph(list(ways.values())).targets) == 3
