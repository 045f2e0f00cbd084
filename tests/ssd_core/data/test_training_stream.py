"""Batches of a training, from small shards of drawn images."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import torch

from ssd_core.data.shards import ShardSet
from ssd_core.data.training_stream import Batch, TrainingStream, training_batches
from ssd_core.spec.augmentation import FLIP_ONLY, STARRED
from ssd_core.spec.recipe import Recipe

if TYPE_CHECKING:
    from pathlib import Path

IMAGES = 11
SETTINGS = Recipe(batch_size=4, augmentation=STARRED, seed=5)
PLAIN = replace(SETTINGS, augmentation=replace(FLIP_ONLY, flip=False))


def assert_same(batch: Batch, other: Batch) -> None:
    assert batch.image_ids == other.image_ids
    assert torch.equal(batch.positions, other.positions)
    assert torch.equal(batch.images, other.images)
    for ours, theirs in zip(batch.objects, other.objects, strict=True):
        assert torch.equal(ours, theirs)


def objects_of(batch: Batch) -> list[list[tuple[float, ...]]]:
    """Label and box of each image's objects, without padding."""
    return [
        [(float(label), *box.tolist()) for label, box in zip(labels[valid], boxes[valid], strict=True)]
        for boxes, labels, valid in zip(*batch.objects, strict=True)
    ]


@pytest.mark.parametrize("world", [2, 3, 4])
def test_the_workers_together_see_the_global_batch_of_one(shards: ShardSet, world: int):
    for step in (0, 2, 7):  # 2: across the end of an epoch of 11 images
        (whole,) = training_batches(shards, SETTINGS, start=step, stop=step + 1)
        parts = [TrainingStream(shards, SETTINGS, rank=rank, world=world).batch(step) for rank in range(world)]
        assert whole.positions.tolist() == list(range(4 * step, 4 * step + 4))
        assert [name for part in parts for name in part.image_ids] == whole.image_ids
        assert torch.equal(torch.cat([part.images for part in parts]), whole.images)
        assert [found for part in parts for found in objects_of(part)] == objects_of(whole)


def test_a_stream_started_anywhere_continues_as_one_started_at_the_beginning(shards: ShardSet):
    from_start = list(islice(training_batches(shards, SETTINGS), 9))
    for started, passed in zip(islice(training_batches(shards, SETTINGS, start=6), 3), from_start[6:], strict=True):
        assert_same(started, passed)


@pytest.mark.parametrize("processes", [1, 2])
def test_the_number_of_loader_processes_changes_nothing(shards: ShardSet, processes: int):
    alone = training_batches(shards, SETTINGS, start=1, stop=6)
    loaded = training_batches(shards, SETTINGS, start=1, stop=6, loader_processes=processes)
    for ours, theirs in zip(alone, loaded, strict=True):
        assert_same(ours, theirs)


def test_every_epoch_yields_each_image_once_although_batches_span_epochs(shards: ShardSet):
    names = [name for batch in training_batches(shards, PLAIN, stop=11) for name in batch.image_ids]
    for epoch in range(4):
        assert sorted(names[epoch * IMAGES : (epoch + 1) * IMAGES]) == sorted(f"image{n}" for n in range(IMAGES))
    assert names[:IMAGES] != names[IMAGES : 2 * IMAGES]


def test_the_same_image_is_augmented_differently_in_each_epoch_and_for_each_seed(shards: ShardSet):
    def pixels(recipe: Recipe, epoch: int) -> torch.Tensor:
        one = replace(recipe, batch_size=1)
        batches = (TrainingStream(shards, one).batch(epoch * IMAGES + place) for place in range(IMAGES))
        return next(batch.images for batch in batches if batch.image_ids == ["image4"])

    seen = [pixels(SETTINGS, 0), pixels(SETTINGS, 1), pixels(replace(SETTINGS, seed=6), 0)]
    assert not any(torch.equal(seen[a], seen[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    assert torch.equal(pixels(SETTINGS, 0), seen[0])


def test_batches_hold_rgb_bytes_and_normalised_boxes_with_labels_from_zero(shards: ShardSet, drawn):
    for batch in training_batches(shards, PLAIN, stop=3):
        assert batch.images.shape == (4, 3, 300, 300)
        assert batch.images.dtype == torch.uint8
        assert batch.images.is_contiguous(memory_format=torch.channels_last)
        assert batch.objects.boxes_xyxy.dtype == torch.float32
        for name, image, found in zip(batch.image_ids, batch.images, objects_of(batch), strict=True):
            row = drawn(number := int(name.removeprefix("image")))
            rgb = cv2.cvtColor(cv2.imdecode(np.frombuffer(row.image, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
            resized = cv2.resize(rgb, (300, 300), interpolation=cv2.INTER_LINEAR)
            np.testing.assert_array_equal(image.permute(1, 2, 0), resized)
            # raw VOC pixels over width and height, nothing subtracted
            whole = (number, 1 / row.width, 1 / row.height, 1, 1)
            part = (19, 10 / row.width, 20 / row.height, 40 / row.width, 30 / row.height)
            wanted = [whole, part][: number % 3]
            if number == 8:
                wanted = [part]  # the other is a crowd
            np.testing.assert_allclose(np.array(found).reshape(-1, 5), np.array(wanted).reshape(-1, 5), rtol=1e-6)


def test_every_label_stays_with_its_object_through_the_augmentation(tmp_path: Path, drawn, write):
    scene = np.full((200, 300, 3), 255, np.uint8)
    scene[20:80, 30:120], scene[110:190, 180:290] = (255, 0, 0), (0, 0, 255)
    row = replace(
        drawn(2),
        image=cv2.imencode(".png", scene[..., ::-1])[1].tobytes(),
        width=300,
        height=200,
        boxes_xyxy=np.array([[30, 20, 120, 80], [180, 110, 290, 190]], np.float32),
        labels=np.array([0, 2], np.int32),  # the channel that is bright in it
    )
    recipe = replace(SETTINGS, batch_size=60, augmentation=replace(STARRED, photometric=False))
    (batch,) = training_batches(write(tmp_path, [row]), recipe, stop=1)
    seen = []
    for image, found in zip(batch.images, objects_of(batch), strict=True):
        for label, left, top, right, bottom in found:
            middle = image[:, int((top + bottom) / 2 * 300), int((left + right) / 2 * 300)]
            assert middle[int(label)] > 240
            assert middle[2 - int(label)] < 15
        seen.append(tuple(label for label, *_ in found))
    assert {(0,), (2,), (0, 2)} <= set(seen)


def test_difficult_objects_are_excluded_on_request_and_crowds_always(shards: ShardSet):
    def trained_on(recipe: Recipe) -> dict[str, list[float]]:
        batches = training_batches(shards, replace(recipe, batch_size=IMAGES), stop=1)
        return {
            name: [label for label, *_ in found]
            for batch in batches
            for name, found in zip(batch.image_ids, objects_of(batch), strict=True)
        }

    every, easy = trained_on(PLAIN), trained_on(replace(PLAIN, train_difficult=False))
    assert (every["image5"], easy["image5"]) == ([5, 19], [5])
    assert (every["image8"], easy["image8"]) == ([19], [])
    assert every["image0"] == easy["image0"] == []


def test_excluding_difficult_objects_does_not_change_the_pixels(shards: ShardSet):
    easy = replace(SETTINGS, train_difficult=False)
    for ours, theirs in zip(*(training_batches(shards, each, stop=3) for each in (SETTINGS, easy)), strict=True):
        assert torch.equal(ours.images, theirs.images)


def test_a_batch_without_any_object_is_legal(tmp_path: Path, drawn, write):
    empty = write(tmp_path, [drawn(0), drawn(3), drawn(6)])
    (batch,) = training_batches(empty, replace(SETTINGS, batch_size=2), stop=1)
    assert batch.objects.boxes_xyxy.shape == (2, 0, 4)
    assert objects_of(batch) == [[], []]


def test_the_global_random_state_is_left_alone(shards: ShardSet):
    torch.manual_seed(0)
    np.random.seed(0)
    before = torch.get_rng_state(), np.random.get_state(legacy=False)["state"]["key"].copy()
    list(training_batches(shards, SETTINGS, stop=2, loader_processes=1))
    assert torch.equal(torch.get_rng_state(), before[0])
    np.testing.assert_array_equal(np.random.get_state(legacy=False)["state"]["key"], before[1])


def test_an_unreadable_image_is_named(tmp_path: Path, drawn, write):
    broken = write(tmp_path, [replace(drawn(1), image=b"not an image")])
    with pytest.raises(ValueError, match="image 'image1' of 'drawn': 12 bytes"):
        next(training_batches(broken, replace(SETTINGS, batch_size=1)))
