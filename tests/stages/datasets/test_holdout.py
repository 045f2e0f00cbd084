"""`--holdout`: images to test on by their content, so that copies stay together and nothing tested is trained on."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from experiments.cli.main import app
from experiments.cli.requests import EvaluateRequest, TrainRequest
from pipeline.errors import PipelineError
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.weights import Weights, save_weights
from stages.datasets.find import find_data_set
from stages.datasets.holdout import divided, is_held_out
from stages.placement import Placement
from stages.shards.shard import Shard

IMAGES = 40


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A CSV without splits, of 40 images and a copy of the first 20."""
    place = tmp_path / "pets"
    (place / "images").mkdir(parents=True)
    names = [f"{number}.png" for number in range(IMAGES)]
    for number, name in enumerate(names):
        cv2.imwrite(str(place / "images" / name), np.full((40, 60, 3), 3 * number, np.uint8))
    for name in names[:20]:
        shutil.copy(place / "images" / name, place / f"images/copy-{name}")
        names.append(f"copy-{name}")
    lines = [f"{name},1,2,30,30,{'cat' if place % 2 else 'dog'}" for place, name in enumerate(names)]
    (place / "boxes.csv").write_text("\n".join(["image,xmin,ymin,xmax,ymax,class", *lines]))
    return place / "boxes.csv"


def shards_of(table: Path, **options: object) -> tuple[Shard, Shard]:
    """Shards to train on and to test on of `ssdpipe train --holdout`."""
    request = TrainRequest(recipe="ssd-tiny", data=str(table), **({"holdout": 0.25} | options))  # type: ignore[arg-type]
    evaluation = request.target(Placement())
    shards = [node.stage for node in Graph([evaluation]).nodes.values() if isinstance(node.stage, Shard)]
    (test,) = (each for each in shards if each == evaluation.shards)
    (train,) = (each for each in shards if each != evaluation.shards)
    return train, test


def test_every_image_is_on_one_side_and_copies_stay_together(table: Path) -> None:
    train, test = (set(shards.sources[0].survey().ids) for shards in shards_of(table))
    assert len(train) + len(test) == len(train | test) == IMAGES + 20
    assert 5 <= len(test) <= 25
    for number in range(20):
        assert (f"{number}.png" in test) == (f"copy-{number}.png" in test)


def test_the_seed_chooses_the_images_and_others_do_not_move_them(table: Path) -> None:
    first, again, other = (
        set(shards_of(table, **options)[1].sources[0].survey().ids) for options in ({}, {"seed": 0}, {"seed": 1})
    )
    assert first == again != other
    contents = [bytes([number]) for number in range(200)]
    assert sum(is_held_out(content, 0.2, 0) for content in contents) == pytest.approx(40, abs=20)
    assert all(is_held_out(each, 0.3, 0) for each in contents if is_held_out(each, 0.2, 0))


@pytest.mark.parametrize("layout", ["voc", "coco", "yolo"])
def test_the_sides_are_the_same_in_every_layout(table: Path, tmp_path: Path, layout: str) -> None:
    done = CliRunner().invoke(app, ["data", "convert", str(table), "--to", layout, "--out", str(tmp_path / "new")])
    assert done.exit_code == 0, done.output
    data_set = find_data_set(str(tmp_path / "new"))
    (split,) = data_set.splits
    sides = [source.listing(source.located()) for source in divided(data_set.source(split), 0.25, 0)]
    names = [{Path(image.image_file).name for image in side.images} for side in sides]
    assert names == [set(shards.sources[0].survey().ids) for shards in shards_of(table)]
    assert sum(side.objects_per_class["cat"] for side in sides) == 30
    assert [source.survey().objects_per_class for source in divided(data_set.source(split), 0.25, 0)] == [
        dict(sorted(side.objects_per_class.items())) for side in sides
    ]


def test_a_conversion_writes_the_sides_as_train_and_test(table: Path, tmp_path: Path) -> None:
    command = ["data", "convert", str(table), "--to", "voc", "--out", str(tmp_path / "new"), "--holdout", "0.25"]
    assert CliRunner().invoke(app, command).exit_code == 0
    _, test = shards_of(table)
    names = (tmp_path / "new/ImageSets/Main/test.txt").read_text().split()
    assert {f"{name}.png" for name in names} == set(test.sources[0].survey().ids)


def test_scoring_the_images_that_were_not_held_out_is_refused(table: Path, tmp_path: Path) -> None:
    train, test = shards_of(table)
    assert not train.listed_images()[0].shared(test.listed_images()[0])
    (whole,) = (find_data_set(str(table)).source("boxes"),)
    all_images = Shard(sources=(whole,), classes=("cat", "dog"))
    assert len(all_images.listed_images()[0].shared(train.listed_images()[0])) == IMAGES + 20 - len(
        test.sources[0].survey().ids
    )
    spec = ssd_tiny(("cat", "dog"))
    with (tmp_path / "weights.pt").open("wb") as stream:
        save_weights(Weights(spec=spec, state=initial_detector(spec, 0).state_dict()), stream)
    request = EvaluateRequest(weights=str(tmp_path / "weights.pt"), data=str(table), holdout=0.25)
    evaluation = request.target(Placement())
    scored = [node.stage for node in Graph([evaluation]).nodes.values() if isinstance(node.stage, Shard)]
    assert [each.sources for each in scored] == [test.sources]


def test_a_graph_with_a_holdout_is_planned_and_its_keys_do_not_depend_on_the_place(table: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere/pets"
    shutil.copytree(table.parent, copy)
    keys = []
    for place in (table, copy / "boxes.csv"):
        graph = Graph([TrainRequest(recipe="ssd-tiny", data=str(place), holdout=0.25).target(Placement())])
        shards = (node for node in graph.nodes.values() if isinstance(node.stage, Shard))
        keys.append([Resolver(graph).ingredients(node, {}) for node in shards])
    assert keys[0] == keys[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"holdout": 1.0}, "--holdout is 1: choose the share"),
        ({"holdout": 1e-9}, "leaves no image to test on, of the 60 of pets/boxes: choose a larger share"),
        ({"holdout": 0.0}, "--holdout 0.2 keeps a fifth of its images to test on"),
        ({"holdout": 0.0, "seed": 3}, "--seed belongs to --holdout"),
        ({"test_split": "boxes"}, "omit one of them"),
    ],
)
def test_a_holdout_that_cannot_be_is_refused(table: Path, options: dict[str, object], message: str) -> None:
    with pytest.raises(PipelineError, match=message.replace("(", r"\(")):
        shards_of(table, **options)[1].external_digest()
