"""Which objects a training on the user's data may use: what it would miss is refused before anything starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from experiments.cli.main import app
from experiments.cli.requests import TrainRequest
from pipeline.errors import PipelineError
from pipeline.execution.run_stage import StageContext
from pipeline.folder import Folder
from pipeline.planning.graph import Graph
from ssd_core.data.shards import ShardSet
from stages.placement import Placement
from stages.shards.shard import Shard
from stages.shards.trainable import require_objects
from stages.training.train import Train
from tests.experiments.cli.requests.test_training import coco, csv, voc


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "pets"


def shards_of(request: TrainRequest, split: str) -> Shard:
    stages = [node.stage for node in Graph(request.targets(Placement())).nodes.values()]
    (shards,) = (stage for stage in stages if isinstance(stage, Shard) and stage.sources[0].split == split)
    return shards


def in_folder(stage: Shard, place: Path) -> StageContext:
    return StageContext(
        key="key", stage=stage, inputs={}, out=Folder(str(place / "out")), work=Folder(str(place / "work"))
    )


def train(root: Path, tmp_path: Path, *more: str) -> Result:
    words = ["train", "ssd-tiny", "--data", str(root), "--store", str(tmp_path / "store"), *more]
    return CliRunner().invoke(app, words)


def test_test_objects_of_a_class_that_the_training_split_lacks_are_left_out_and_strict_refuses_them(
    root: Path, tmp_path: Path
) -> None:
    voc(root, train="ab", test="c")
    annotation = root / "Annotations/c.xml"
    whole = annotation.read_text()
    other = whole[whole.index("<object>") : whole.index("</annotation>")].replace("cat", "dog").replace("60", "50")
    annotation.write_text(whole.replace("</annotation>", f"{other}</annotation>"))
    for strict in (False, True):
        request = TrainRequest(recipe="ssd-tiny", data=str(root), strict=strict)
        test = shards_of(request, "test")
        test.external_digest()
        context = in_folder(test, tmp_path / f"strict {strict}")
        if strict:
            with pytest.raises(PipelineError, match=r"1 defect that.*\n.*c.xml, object 1: class that the training"):
                test.run(context)
        else:
            test.run(context)
            report = context.out.read_json("report.json")
            assert report["defects"] == {"class that the training split lacks": 1}
            assert (report["boxes_annotated"], report["boxes_written"], report["boxes_left_out"]) == (2, 1, 1)


@pytest.mark.parametrize("layout", [voc, coco, csv])
def test_a_training_split_without_an_object_is_refused_in_one_sentence(
    root: Path, tmp_path: Path, layout: Callable[..., None]
) -> None:
    layout(root, train="yz", test="c")
    done = train(root, tmp_path)
    assert isinstance(done.exception, PipelineError)
    assert str(done.exception).startswith(f"pets/train ({root}) has 2 images and no object to train on in any of them")
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("layout", [voc, coco, csv])
@pytest.mark.parametrize("options", [("--test-split", "empty"), ("--validation-split", "empty", "-s", "keep_every=1")])
def test_a_split_to_score_without_an_object_is_refused_before_the_training(
    root: Path, tmp_path: Path, layout: Callable[..., None], options: tuple[str, ...]
) -> None:
    layout(root, train="ab", test="c", empty="yz")
    done = train(root, tmp_path, *options)
    assert isinstance(done.exception, PipelineError)
    assert str(done.exception).startswith(f"pets/empty ({root}) has 2 images and no object to score in any of them")
    assert not (tmp_path / "store").exists()


def test_a_training_split_with_difficult_objects_alone_is_refused_unless_they_are_trained_on(
    root: Path, tmp_path: Path
) -> None:
    csv(root, train="ab", test="c")
    lines = (root / "train.csv").read_text().splitlines()
    (root / "train.csv").write_text("\n".join([f"{lines[0]},difficult", *(f"{line},1" for line in lines[1:])]))
    done = train(root, tmp_path, "-s", "train_difficult=false")
    assert isinstance(done.exception, PipelineError)
    assert "pets/train" in str(done.exception)
    assert "has 2 images and no object to train on" in str(done.exception)
    graph = Graph(TrainRequest(recipe="ssd-tiny", data=str(root)).targets(Placement()))
    assert [node.stage.external_digest() for node in graph.nodes.values() if isinstance(node.stage, Train)] == [""]


def test_shards_whose_boxes_are_all_unusable_are_refused_when_their_training_starts(root: Path, tmp_path: Path) -> None:
    csv(root, train="ab", test="c")
    (root / "train.csv").write_text((root / "train.csv").read_text().replace("10,10,60,70", "10,10,10,70"))
    request = TrainRequest(recipe="ssd-tiny", data=str(root))
    shards = shards_of(request, "train")
    shards.run(context := in_folder(shards, tmp_path))
    with pytest.raises(PipelineError, match="has 2 images and no object to train on"):
        require_objects(ShardSet(context.out.path), difficult=True)
