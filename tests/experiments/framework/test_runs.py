"""The paper's trainings, as in its sections 3.1 to 3.6 and the released scripts, and their presets."""

from __future__ import annotations

import pytest

from experiments.framework.presets import PRESETS, Preset
from experiments.framework.runs import RUNS, PresetName
from pipeline.errors import PipelineError
from pipeline.planning.graph import Graph
from ssd_core.spec.paper import ssd300
from ssd_core.spec.vocabularies import COCO_CLASSES, COCO_TO_VOC
from stages.evaluation.evaluate_coco import EvaluateCoco
from stages.shards.shard import Shard
from stages.training.imagenet_vgg16 import ImageNetVgg16
from stages.training.train import Train
from stages.training.transfer import Transfer


@pytest.mark.parametrize(
    ("name", "iterations", "drops"),
    [
        ("ssd300-voc07", 60_000, (40_000, 50_000)),
        ("ssd300-voc0712", 60_000, (40_000, 50_000)),
        ("ssd512-voc07++12", 80_000, (60_000,)),
        ("ssd300-coco", 240_000, (160_000, 200_000)),
        ("ssd300-ilsvrc", 440_000, (320_000, 400_000)),
        ("ssd300-expand-voc0712", 120_000, (80_000, 100_000)),
        ("ssd512-expand-coco", 400_000, (280_000, 360_000)),
        ("ssd300-expand-voc07++12-after-coco", 160_000, (120_000,)),
    ],
)
def test_schedules_are_those_of_the_paper_or_where_it_has_none_of_the_scripts(name, iterations, drops) -> None:
    schedule = Preset().setup(RUNS[name]).recipe.schedule
    assert (schedule.iterations, schedule.drops, schedule.base_lr) == (iterations, drops, 1e-3)


def test_each_mix_concatenates_what_the_paper_does() -> None:
    def lists(name: str) -> list[str]:
        return [f"{source.name} {source.split}" for source in Preset().setup(RUNS[name]).train]

    assert lists("ssd300-voc07") == ["voc2007 trainval"]
    assert lists("ssd300-voc0712") == ["voc2007 trainval", "voc2012 trainval"]
    assert lists("ssd300-voc07++12") == ["voc2007 trainval", "voc2007 test", "voc2012 trainval"]
    assert lists("ssd300-voc0712train") == ["voc2007 trainval", "voc2012 train"]
    assert lists("ssd300-ilsvrc") == ["ilsvrc train", "ilsvrc val1"]


@pytest.mark.parametrize("name", ["ssd300-coco", "ssd300-voc0712-after-coco", "ssd300-ilsvrc"])
def test_runs_on_or_after_coco_and_on_ilsvrc_have_coco_s_scales(name: str) -> None:
    spec = Preset().setup(RUNS[name]).recipe.spec
    assert spec == ssd300(spec.classes, scales="coco")


def test_a_fine_tuning_starts_from_the_heads_of_its_parent_under_voc_s_names() -> None:
    setup = Preset().setup(RUNS["ssd300-voc0712-after-coco"])
    transfer = setup.initial
    assert isinstance(transfer, Transfer)
    assert (transfer.classes, transfer.names) == (setup.recipe.spec.classes, tuple(COCO_TO_VOC.items()))
    parent = transfer.weights
    assert isinstance(parent, Train)
    assert parent == Preset().setup(RUNS["ssd300-coco"]).training()
    assert parent.recipe.spec.classes == COCO_CLASSES
    assert isinstance(parent.initial, ImageNetVgg16)


def test_the_seed_of_a_fine_tuning_is_that_of_its_parent() -> None:
    transfer = Preset().setup(RUNS["ssd300-voc0712-after-coco"], seed=2).initial
    assert isinstance(transfer, Transfer)
    assert isinstance(transfer.weights, Train)
    assert transfer.weights.recipe.seed == 2


def test_coco_is_scored_by_its_own_protocol_and_a_server_s_test_set_not_at_all() -> None:
    assert isinstance(Preset().setup(RUNS["ssd300-coco"]).evaluation(), EvaluateCoco)
    with pytest.raises(PipelineError, match=r"SSD300 on 07\+\+12 is scored by a server"):
        Preset().setup(RUNS["ssd300-voc07++12"]).evaluation()


@pytest.mark.parametrize("preset", ["tiny", "narrow"])
@pytest.mark.parametrize("name", RUNS)
def test_each_run_is_a_graph_that_needs_neither_data_nor_weights_at_the_small_presets(
    preset: PresetName, name: str
) -> None:
    graph = Graph([Preset(name=preset).setup(RUNS[name]).evaluation()])
    stages = [node.stage for node in graph.nodes.values()]
    assert not [stage for stage in stages if isinstance(stage, ImageNetVgg16)]
    assert all(source.within for stage in stages if isinstance(stage, Shard) for source in stage.sources)


def test_no_two_runs_are_the_same_training_at_full() -> None:
    trainings = {Preset().setup(run).training() for run in RUNS.values()}
    assert len(trainings) == len(RUNS)


def test_each_preset_has_a_description() -> None:
    assert all(PRESETS[name](RUNS["ssd300-voc0712"]).about for name in PRESETS)
