"""Images as a training sees them, and their drawing."""

from __future__ import annotations

import torch

from ssd_core.data.shards import ShardSet
from ssd_core.data.training_stream import TrainingStream
from ssd_core.spec.recipe import Recipe
from stages.figures.as_trained import as_trained_figure
from stages.shards.training_batch import first_images, images_as_trained


def test_of_shards_they_are_the_first_images_of_the_training_whatever_its_batch_size(drawn, small_spec) -> None:
    shards, recipe = ShardSet(drawn.folders[drawn.train].path), Recipe(spec=small_spec, batch_size=2, seed=3)
    shown = first_images(shards, recipe, count=4).batch
    stream = TrainingStream(shards, recipe)
    trained_on = [stream.batch(step) for step in (0, 1)]
    assert shown.image_ids == [name for batch in trained_on for name in batch.image_ids]
    assert torch.equal(shown.images, torch.cat([batch.images for batch in trained_on]))


def test_each_object_is_labelled_with_the_number_of_its_matched_boxes(drawn, small_spec) -> None:
    shards = ShardSet(drawn.folders[drawn.train].path)
    matched = images_as_trained([shards.row(0), shards.row(1)], shards.classes, Recipe(spec=small_spec))
    figure = as_trained_figure(matched, shards.classes)
    for number, axes in enumerate(figure.axes):
        owners = matched.matches.truth[number]
        counted = [int(text.get_text().rpartition(": ")[2]) for text in axes.texts]
        assert len(counted) == int(matched.batch.objects.valid[number].sum())
        assert sum(counted) == int((owners >= 0).sum())
        assert len(axes.patches) == len(counted) + sum(counted)
