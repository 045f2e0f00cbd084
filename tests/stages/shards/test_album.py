"""Reading a data set in order to display it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import PipelineError
from stages.datasets.voc import VocFolder
from stages.shards.album import Album, AlbumContents, open_album, read_album
from stages.shards.shard import Shard


def ignore(done: int, total: int) -> None:
    pass


def seen(album: Album, pick: int = 1, seed: int = 0) -> AlbumContents:
    return read_album(album, pick=pick, rng=np.random.default_rng(seed), progress=ignore)


def test_boxes_are_fractions_and_objects_know_their_image(voc: Any) -> None:
    voc.annotation("b", ("dog", 10, 20, 50, 60), ("cat", 0, 0, 100, 40), difficult=True)
    found = seen(open_album(str(voc.root), "train"))
    assert (found.title, found.classes, found.images, found.left_out) == ("VOC2007 train", ("cat", "dog"), 2, 0)
    np.testing.assert_allclose(  # the images are 100 x 80
        found.boxes_xyxy, [[0.1, 0.25, 0.5, 0.75], [0.1, 0.25, 0.5, 0.75], [0, 0, 1, 0.5]]
    )
    assert found.image.tolist() == [0, 1, 1]
    assert found.labels.tolist() == [0, 1, 0]
    assert found.difficult.tolist() == [False, True, True]


def test_objects_and_images_of_each_class_are_counted_separately(voc: Any) -> None:
    voc.annotation("a", ("cat", 10, 20, 50, 60), ("cat", 0, 0, 100, 40))
    found = seen(open_album(str(voc.root), "train"))
    assert (found.objects_per_class(), found.images_per_class()) == ([2, 1], [1, 1])


def test_an_image_that_sharding_would_leave_out_is_counted_and_not_shown(voc: Any) -> None:
    (voc.root / "JPEGImages/a.jpg").write_bytes(b"no image")
    found = seen(open_album(str(voc.root), "train"), pick=2)
    assert (found.images, found.left_out, [row.image_id for row in found.picked]) == (1, 1, ["b"])


def test_a_data_set_without_a_readable_image_is_refused(voc: Any) -> None:
    for name in "ab":
        (voc.root / f"JPEGImages/{name}.jpg").write_bytes(b"no image")
    with pytest.raises(PipelineError, match="none of the 2 images"):
        seen(open_album(str(voc.root), "train"))


def test_images_without_objects_are_included(voc: Any) -> None:
    voc.annotation("a")
    found = seen(open_album(str(voc.root), "train"))
    assert (found.images, found.image.tolist(), found.classes) == (2, [1], ("dog",))


def test_the_picked_images_are_distinct_complete_and_drawn_by_the_seed(voc: Any) -> None:
    names = [f"c{number}" for number in range(20)]
    for name in names:
        voc.image(name)
        voc.annotation(name, ("cat", 10, 20, 50, 60))
    voc.split("train", names)
    album = open_album(str(voc.root), "train")
    picks = {tuple(row.image_id for row in seen(album, pick=5, seed=seed).picked) for seed in range(4)}
    assert len(picks) > 1
    assert all(len(set(pick)) == 5 for pick in picks)
    assert all(row.image for row in seen(album, pick=5).picked)


def test_without_a_split_trainval_or_else_train_is_shown(voc: Any) -> None:
    assert open_album(str(voc.root), "").title == "VOC2007 train"
    voc.split("trainval", ["a"])
    assert open_album(str(voc.root), "").title == "VOC2007 trainval"


def test_a_folder_of_shards_shows_what_its_data_set_shows(voc: Any, in_process: Callable[..., Any]) -> None:
    stage = Shard(sources=(VocFolder(name="own", root=str(voc.root), split="train"),))
    context = in_process(stage)
    stage.run(context)
    shards = seen(open_album(context.out.path, ""))
    folder = seen(open_album(str(voc.root), "train"))
    for name in ("classes", "images"):
        assert getattr(shards, name) == getattr(folder, name)
    for name in ("image", "boxes_xyxy", "labels", "difficult", "crowd"):
        np.testing.assert_array_equal(getattr(shards, name), getattr(folder, name))
    with pytest.raises(PipelineError, match="omit --split"):
        open_album(context.out.path, "train")


def test_a_missing_split_is_refused_with_the_nearest_name(voc: Any) -> None:
    with pytest.raises(PipelineError, match="did you mean 'train'"):
        open_album(str(voc.root), "trian")


def test_all_objects_of_real_data_are_read(real_data: Callable[[str], Path]) -> None:
    found = seen(open_album(str(real_data("bccd")), "test"))
    assert found.images == 72
    annotated = sum(
        (real_data("bccd") / f"BCCD/Annotations/{image_id}.xml").read_text().count("<object>")
        for image_id in (real_data("bccd") / "BCCD/ImageSets/Main/test.txt").read_text().split()
    )
    assert annotated - 1 <= len(found.labels) <= annotated  # two boxes of the whole set have no area


def test_coco_is_read_with_its_crowds(real_data: Callable[[str], Path]) -> None:
    found = seen(open_album(str(real_data("coco_mini")), "val2017"))
    annotations = json.loads((real_data("coco_mini") / "annotations/instances_val2017.json").read_text())["annotations"]
    assert found.images == 206
    assert found.crowd.sum() == sum(item["iscrowd"] for item in annotations) > 0
