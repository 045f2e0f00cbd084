"""The effect of the options of `ssdpipe train`, `run` and `evaluate weights` on the graph."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from experiments.cli.main import app
from experiments.cli.requests import EvaluateRequest, ExperimentRequest, ShardRequest, TrainRequest
from experiments.framework.loading import named_setup
from experiments.framework.setups import on_data
from pipeline.errors import PipelineError
from pipeline.keys.fingerprint import describe, leaves
from pipeline.planning.graph import Graph
from ssd_core.detection.limits import DetectionLimits
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.weights import Weights, save_weights
from stages.detection.detect import Detect
from stages.placement import Placement
from stages.shards.shard import Shard
from stages.tables.table import Table
from stages.training.train import Train

OBJECTS = "abcdefg"
"""Ids of the images that have an object."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "pets"


def picture(file: Path, grey: int = 0) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), np.full((80, 100, 3), grey, np.uint8))


def voc(root: Path, **splits: str) -> None:
    for image_id in {*"".join(splits.values())}:
        picture(root / f"JPEGImages/{image_id}.jpg", grey=ord(image_id))
        box = "<bndbox><xmin>10</xmin><ymin>10</ymin><xmax>60</xmax><ymax>70</ymax></bndbox>"
        found = f"<object><name>cat</name>{box}</object>" if image_id in OBJECTS else ""
        (root / "Annotations").mkdir(exist_ok=True)
        (root / f"Annotations/{image_id}.xml").write_text(
            f"<annotation><size><width>100</width><height>80</height></size>{found}</annotation>"
        )
    (root / "ImageSets/Main").mkdir(parents=True)
    for split, ids in splits.items():
        (root / f"ImageSets/Main/{split}.txt").write_text("\n".join(ids))


def coco(root: Path, **splits: str) -> None:
    for split, ids in splits.items():
        for image_id in ids:
            picture(root / f"images/{image_id}.jpg", grey=ord(image_id))
        images = [{"id": ord(i), "file_name": f"{i}.jpg", "width": 100, "height": 80} for i in ids]
        boxes = [
            {"id": ord(i), "image_id": ord(i), "category_id": 1, "bbox": [10, 10, 50, 60], "area": 3000, "iscrowd": 0}
            for i in ids
            if i in OBJECTS
        ]
        content = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "cat"}]}
        (root / "annotations").mkdir(exist_ok=True)
        (root / f"annotations/instances_{split}.json").write_text(json.dumps(content))


def roboflow(root: Path, **splits: str) -> None:
    """Each split in a folder of its own, with numbers from 0."""
    for split, ids in splits.items():
        for image_id in ids:
            picture(root / f"{split}/{image_id}.jpg", grey=ord(image_id))
        numbered = list(enumerate(ids))
        images = [{"id": number, "file_name": f"{i}.jpg", "width": 100, "height": 80} for number, i in numbered]
        boxes = [{"id": n, "image_id": n, "category_id": 1, "bbox": [10, 10, 50, 60], "area": 9} for n, _ in numbered]
        content = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "cat"}]}
        (root / f"{split}/_annotations.coco.json").write_text(json.dumps(content))


def csv(root: Path, **splits: str) -> None:
    for split, ids in splits.items():
        for image_id in ids:
            picture(root / f"images/{image_id}.jpg", grey=ord(image_id))
        lines = [f"{i}.jpg,10,10,60,70,cat" if i in OBJECTS else f"{i}.jpg,,,,," for i in ids]
        (root / f"{split}.csv").write_text("\n".join(["image,xmin,ymin,xmax,ymax,class", *lines]))


def ilsvrc(root: Path, **splits: str) -> None:
    """Write ILSVRC DET layout, whose images are in one folder per split."""
    voc(root / "as_voc", **splits)
    for split, ids in splits.items():
        for image_id in ids:
            for kind, inside, suffix in (("Annotations", "Annotations", "xml"), ("JPEGImages", "Data", "JPEG")):
                target = root / f"{inside}/DET/{split}/{image_id}.{suffix}"
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(next((root / f"as_voc/{kind}").glob(f"{image_id}.*")), target)
        (root / "ImageSets/DET").mkdir(parents=True, exist_ok=True)
        (root / f"ImageSets/DET/{split}.txt").write_text("\n".join(f"{split}/{i}" for i in ids))
    shutil.rmtree(root / "as_voc")


LAYOUTS = {"voc": voc, "coco": coco, "csv": csv}


def taken(root: Path, **named: str) -> tuple[str, str]:
    evaluation = TrainRequest(recipe="ssd200-narrow", data=str(root), **named).target(Placement())  # type: ignore[arg-type]
    assert isinstance(evaluation.training, Train)
    shards = evaluation.training.shards, evaluation.shards
    first, second = (stage.sources[0].split for stage in shards if isinstance(stage, Shard))
    return first, second


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("splits", "expected"),
    [
        ({"train": "ab", "val": "c", "trainval": "abc", "test": "d"}, ("trainval", "test")),
        ({"train": "ab", "val": "c", "trainval": "abc"}, ("train", "val")),
        ({"train": "ab", "val": "c", "test": "d"}, ("train", "test")),
        ({"train": "ab", "val": "c"}, ("train", "val")),
        ({"train": "ab", "valid": "c"}, ("train", "valid")),
        ({"train": "ab", "test": "d"}, ("train", "test")),
        ({"train2017": "ab", "val2017": "c"}, ("train2017", "val2017")),
        ({"train2014": "ab", "val2014": "c"}, ("train2014", "val2014")),
        ({"train": "ab", "val": "c", "test": "xy"}, ("train", "val")),  # nothing to find on the test images
    ],
    ids=lambda given: "-".join(given),
)
def test_two_splits_that_share_no_image_are_chosen(
    root: Path, layout: str, splits: dict[str, str], expected: tuple[str, str]
) -> None:
    LAYOUTS[layout](root, **splits)
    assert taken(root) == expected


def test_ilsvrc_is_tested_on_val_since_its_test_images_have_no_annotations(root: Path) -> None:
    ilsvrc(root, train="ab", val="c", test="x")
    assert taken(root) == ("train", "val")


@pytest.mark.parametrize("name", ["pets", "coco-pets"])
def test_ids_that_restart_in_each_split_are_not_mistaken_for_shared_images(tmp_path: Path, name: str) -> None:
    root = tmp_path / name
    roboflow(root, train="abcd", valid="ef", test="g")
    assert taken(root) == ("train", "test")
    plan = ["plan", "ablation-box-shapes", "--preset", "tiny", "--data", str(root), "--store", str(tmp_path / "store")]
    assert CliRunner().invoke(app, plan).exit_code == 0
    checked = CliRunner().invoke(app, ["data", "check", str(root), "--strict"])
    assert "images  7 listed, 7 sound" in checked.stdout
    assert checked.exit_code == 0
    shutil.copy(root / "train/a.jpg", root / "test/g.jpg")  # now one image is in both
    assert taken(root) == ("train", "valid")
    done = CliRunner().invoke(app, [*plan, "--train-split", "train", "--test-split", "test"])
    assert str(done.exception).startswith(f"{name}/test shares 1 image (0) with {name}/train")


def test_the_partner_of_a_named_split_shares_no_image_with_it(root: Path) -> None:
    voc(root, train="ab", val="c", trainval="abc", test="d")
    assert taken(root, test_split="val") == ("train", "val")
    assert taken(root, train_split="train") == ("train", "test")
    assert taken(root, train_split="test") == ("test", "val")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ({"train": "ab"}, "pets has only the split train, none with objects to test on (test, val, "),
        ({"default": "ab"}, "pets has only the split default, none to train on (trainval, train, "),
        ({"train": "ab", "holdout": "c"}, "none with objects to test on"),
    ],
    ids=lambda given: "-".join(given),
)
def test_without_two_usable_splits_the_command_names_the_remedy(
    root: Path, tmp_path: Path, layout: str, splits: dict[str, str], message: str
) -> None:
    LAYOUTS[layout](root, **splits)
    command = ["train", "ssd200-narrow", "--data", str(root), "--gpus", "0", "--store", str(tmp_path / "store")]
    done = CliRunner().invoke(app, command)
    assert isinstance(done.exception, PipelineError)
    assert message in str(done.exception)
    assert "--train-split and --test-split" in str(done.exception)
    assert not (tmp_path / "store").exists()


def test_splits_that_all_share_images_are_refused_with_their_number(root: Path, tmp_path: Path) -> None:
    voc(root, train="abc", test="cd")
    command = ["train", "ssd200-narrow", "--data", str(root), "--gpus", "0", "--store", str(tmp_path / "store")]
    done = CliRunner().invoke(app, command)
    assert str(done.exception).startswith("pets/test shares 1 image (c) with pets/train")


def test_a_named_layout_wins_where_two_fit(root: Path) -> None:
    voc(root, train="ab", test="c")
    csv(root, train="ab", val="c")
    assert taken(root) == ("train", "test")
    assert taken(root, layout="csv") == ("train", "val")
    with pytest.raises(PipelineError, match="did you mean 'csv'"):
        taken(root, layout="csvs")


@pytest.mark.parametrize("kind", [TrainRequest, ExperimentRequest, EvaluateRequest, ShardRequest])
def test_strict_reaches_every_set_of_shards(root: Path, tmp_path: Path, kind: Any) -> None:
    voc(root, train="ab", val="c", test="d")
    spec = named_setup("ssd-tiny", adjust=lambda setup: on_data(setup, str(root))).recipe.spec
    with (tmp_path / "weights.pt").open("wb") as stream:
        save_weights(Weights(spec=spec, state=initial_detector(spec, 0).state_dict()), stream)
    own: dict[Any, dict[str, Any]] = {
        TrainRequest: {"recipe": "ssd-tiny", "validation_split": "val", "settings": ["keep_every=500"]},
        ExperimentRequest: {"experiment": "ablation-layers", "preset": "tiny"},
        EvaluateRequest: {"weights": str(tmp_path / "weights.pt")},
        ShardRequest: {},
    }
    for strict in (True, False):
        request = kind(**own[kind], data=str(root), strict=strict)
        stages = [node.stage for node in Graph(request.targets(Placement())).nodes.values()]
        assert {stage.strict for stage in stages if isinstance(stage, Shard)} == {strict}


def test_gpus_are_the_workers_of_a_training_and_of_an_experiment_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")  # a cluster of any size
    cases = (
        (TrainRequest(gpus=8), 8),
        (TrainRequest(gpus=0, workers=2), 2),
        (ExperimentRequest(experiment="voc2007", gpus=8), 1),
        (ExperimentRequest(experiment="voc2007", gpus=8, gpus_per_training=4), 4),
    )
    for request, workers in cases:
        stages = [node.stage for node in Graph(request.targets(request.placement())).nodes.values()]
        assert {stage.workers for stage in stages if isinstance(stage, Train)} == {workers}


PRACTICE = [
    "ema_decay=0.9998", "schedule.curve=cosine", "accumulation=2", "clip_norm=10", "frozen_through=conv3_3",
    "limits.flip=true",
]  # fmt: skip


def test_what_practitioners_add_is_off_and_in_no_key_unless_it_is_set() -> None:
    names = {setting.partition("=")[0] for setting in PRACTICE}
    plain, changed = (settings_in_keys(TrainRequest(settings=settings)) for settings in ([], PRACTICE))
    added = {name for name in changed.keys() - plain.keys() if not name.endswith("$class")}
    assert added == {("Detect." if name.startswith("limits") else "Train.recipe.") + name for name in names}


def settings_in_keys(request: TrainRequest) -> dict[str, object]:
    """The settings in the keys of the training and the detection that a command builds."""
    nodes = Graph(request.targets(Placement())).nodes.values()
    stages = [node.stage for node in nodes if isinstance(node.stage, Train | Detect)]
    return {
        f"{type(stage).__name__}.{path}": value for stage in stages for path, value in leaves(describe(stage).config)
    }


def test_test_time_flip_changes_no_training_and_is_listed_as_a_departure() -> None:
    plain, flipped = (TrainRequest(settings=each).target(Placement()) for each in ([], ["limits.flip=true"]))
    assert plain.training == flipped.training
    assert isinstance(flipped.detections, Detect)
    assert flipped.detections.limits == DetectionLimits(flip=True)
    table = ExperimentRequest(experiment="voc2007", settings=PRACTICE).target(Placement())
    assert isinstance(table, Table)
    assert {field for field, *_ in table.departures} == {setting.partition("=")[0] for setting in PRACTICE}


def test_a_wrong_limit_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(PipelineError, match="has no field 'flop'; did you mean 'flip'"):
        TrainRequest(settings=["limits.flop=true"]).target(Placement())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ssd300-voc0712", "-s", "frozen_through=conv3_4"], "there is no such layer, only backbone, conv4_3, conv7"),
        (["ssd-tiny", "-s", "frozen_through=conv3_3"], "would keep random weights, since this training starts from"),
    ],
)
def test_layers_that_cannot_be_frozen_are_refused_before_anything_starts(arguments: list[str], message: str) -> None:
    refused = CliRunner().invoke(app, ["plan", *arguments])
    assert message in f"{refused.exception}{refused.output}"


def test_settings_reach_the_training_and_name_its_parts() -> None:
    request = TrainRequest(
        settings=["precision=bf16", "compiled=true", "schedule.base_lr=5e-4", "spec.sources.conv7.step=15"]
    )
    evaluation = request.target(Placement())
    assert isinstance(evaluation.training, Train)
    recipe = evaluation.training.recipe
    assert (recipe.precision, recipe.compiled) == ("bf16", True)
    assert (recipe.schedule.base_lr, recipe.spec.sources[1].step) == (5e-4, 15)
