"""`--validation-split`: which checkpoints are scored on which images, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from experiments.cli.main import app
from experiments.cli.requests import TrainRequest
from pipeline.errors import PipelineError
from pipeline.planning.graph import Graph
from stages.evaluation.validate import Validate
from stages.placement import Placement
from stages.shards.shard import Shard
from stages.training.train import Train

KEEPING = ["schedule.iterations=3000", "keep_every=1000"]


@pytest.fixture
def data(tmp_path: Path) -> str:
    """Four images without pixels; trainval is train and val together."""
    root = tmp_path / "mine"
    for folder in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (root / folder).mkdir(parents=True)
    for image_id in "abcd":
        (root / f"JPEGImages/{image_id}.jpg").write_bytes(b"not opened")
        box = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>"
        (root / f"Annotations/{image_id}.xml").write_text(
            f"<annotation><size><width>10</width><height>10</height></size><object><name>cat</name>{box}</object>"
            "</annotation>"
        )
    for split, ids in (("train", "ab"), ("val", "c"), ("trainval", "abc"), ("test", "d")):
        (root / f"ImageSets/Main/{split}.txt").write_text("".join(f"{image_id}\n" for image_id in ids))
    return str(root)


def validating(
    data: str, *, settings: list[str], validation_split: str = "val", train_split: str = "train"
) -> TrainRequest:
    return TrainRequest(
        recipe="ssd-tiny", data=data, train_split=train_split, settings=settings, validation_split=validation_split
    )


def test_the_evaluation_on_the_test_split_stays_the_first_target(data: str) -> None:
    request = validating(data, settings=KEEPING)
    graph = Graph(request.targets(Placement()))
    first, second, _ = (graph.nodes[target].stage for target in graph.targets)
    assert first == request.target(Placement())
    assert isinstance(second, Validate)
    assert second.iterations == (1000, 2000, 3000)
    assert isinstance(second.shards, Shard)
    assert second.shards.sources[0].split == "val"


@pytest.mark.parametrize(("recipe", "protocol"), [("ssd300-voc07", "voc"), ("ssd300-coco", "coco")])
def test_checkpoints_are_scored_by_the_protocol_of_the_recipe(data: str, recipe: str, protocol: str) -> None:
    request = replace(validating(data, settings=["keep_every=1000"]), recipe=recipe)
    _, validation, _ = request.targets(Placement())
    assert isinstance(validation, Validate)
    assert validation.protocol == protocol


def test_the_training_does_not_depend_on_its_validation(data: str) -> None:
    graph = Graph(
        [
            *validating(data, settings=KEEPING).targets(Placement()),
            *validating(data, settings=KEEPING, validation_split="").targets(Placement()),
        ]
    )
    assert sum(isinstance(node.stage, Train) for node in graph.nodes.values()) == 1


def test_without_kept_checkpoints_the_message_names_the_setting_to_add(data: str) -> None:
    with pytest.raises(PipelineError, match="add -s keep_every=N"):
        validating(data, settings=[]).targets(Placement())
    with pytest.raises(PipelineError, match="keep_every=4000 exceeds the 3000 iterations"):
        validating(data, settings=[KEEPING[0], "keep_every=4000"]).targets(Placement())


def test_the_command_refuses_before_anything_starts(data: str, tmp_path: Path) -> None:
    arguments = ["train", "ssd-tiny", "--data", data, "--train-split", "train", "--validation-split", "val"]
    done = CliRunner().invoke(app, [*arguments, "--store", str(tmp_path / "store")])
    assert isinstance(done.exception, PipelineError)
    assert "keep_every" in str(done.exception)
    assert not (tmp_path / "store").exists()
