"""The training images behind weights are derived from the graph.

Which commands this refuses: tests/experiments/cli/test_trained_images.py.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest

from experiments.framework.loading import named_setup
from pipeline.errors import PipelineError
from pipeline.stage import Stage
from stages.datasets.voc import VocFolder
from stages.detection.detect import Detect
from stages.shards.image_list import DIGESTS
from stages.shards.shard import Shard
from stages.shards.unseen import trained_on
from stages.training.imagenet_vgg16 import ImageNetVgg16
from stages.training.train import Train


@dataclass(frozen=True, kw_only=True)
class Trained(Stage):
    """Stands for a training: holds its shards and initial weights."""

    data: Stage
    initial: Stage | None = None

    def run(self, ctx):
        raise NotImplementedError


def shard(root, split, name="pets"):
    return Shard(sources=(VocFolder(name=name, split=split, root=str(root)),), classes=("cat", "dog"))


def test_a_detection_in_training_images_is_refused_at_planning_unless_allowed(voc):
    detect = Detect(weights=Trained(data=shard(voc.root, "train")), shards=shard(voc.root, "test"))
    with pytest.raises(PipelineError, match="--allow-trained-images"):
        detect.external_digest()
    Detect(weights=detect.weights, shards=detect.shards, allow_trained_images=True).external_digest()


def test_images_of_the_training_that_weights_started_from_count_too(voc):
    first, second = shard(voc.root, "train"), shard(voc.root, "train", "others")
    fine_tuned = Trained(data=second, initial=Trained(data=first))
    assert set(Detect(weights=fine_tuned, shards=shard(voc.root, "test")).trained_on) == {first, second}


def test_shards_that_a_stage_of_the_user_s_makes_are_known_to_a_training() -> None:
    own = Trained(data=ImageNetVgg16())
    training = Train(recipe=named_setup("ssd-tiny").recipe, shards=own)
    assert trained_on(training) == (own,)


def test_finished_shards_are_compared_before_the_first_image_is_detected(voc, in_process):
    train, test = shard(voc.root, "train"), shard(voc.root, "test")
    folders = {}
    for stage in (train, test):
        stage.run(ctx := in_process(stage, stage.sources[0].split))
        folders[stage] = ctx.out
    training = Trained(data=train)
    detect = Detect(weights=training, shards=test)
    with pytest.raises(PipelineError, match=r"the test set shares 1 image \(b\)"):
        detect.run(in_process(detect, inputs={**folders, training: folders[train]}))


@pytest.mark.parametrize("digests", [True, False])
def test_a_copy_under_another_name_in_finished_shards_is_refused(voc, in_process, digests):
    """Also when a stage of the user's wrote the shards, without digests."""
    train = shard(voc.root, "train")
    training = Trained(data=train)
    train.run(first := in_process(train, "train"))
    voc.image("a", 90)
    (voc.root / "JPEGImages/b.jpg").rename(voc.root / "JPEGImages/copy.jpg")
    voc.annotation("copy", ("dog", 10, 20, 50, 60))
    voc.split("test", ["copy"])
    test = shard(voc.root, "test", "others")
    test.run(second := in_process(test, "test"))
    if not digests:
        (Path(first.out.path) / DIGESTS).unlink()
    detect = Detect(weights=training, shards=test)
    folders = {train: first.out, test: second.out, training: first.out}
    with pytest.raises(PipelineError, match=r"the test set shares 1 image \(copy, there named b\)"):
        detect.refuse_trained_images(in_process(detect, inputs=folders))


def test_other_images_of_the_same_name_in_finished_shards_are_not_refused(voc, in_process):
    """As numbers of COCO that start anew in each split."""
    train, test = shard(voc.root, "train"), shard(voc.root, "test")
    training = Trained(data=train)
    detect = Detect(weights=training, shards=test)
    train.run(first := in_process(train, "train"))
    voc.image("b", 90)
    test.run(second := in_process(test, "test"))
    folders = {train: first.out, test: second.out, training: first.out}
    detect.refuse_trained_images(in_process(detect, inputs=folders))
