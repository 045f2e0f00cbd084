"""The comparison with torchvision uses the same network, weights, boxes and images on both sides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from drawn_shards import drawn_shards
from learning import mixed
from learning_data import OurBatches, TorchvisionBatches, batches, truth, with_objects
from learning_gradients import NO_AUGMENTATION, compare_on
from learning_sides import Whose, our_loss, torchvision_loss, torchvision_ssd
from learning_table import table
from learning_training import detections, train
from torch import Tensor
from torchvision.models.detection import ssd300_vgg16
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.ssd import SSD

from ssd_core.boxes.frames import to_xyxy
from ssd_core.data.shards import ShardSet
from ssd_core.data.training_stream import Batch, TrainingStream
from ssd_core.metrics.voc_ap import evaluate
from ssd_core.network.model import Detector
from ssd_core.spec.augmentation import STARRED
from ssd_core.spec.detector import Preprocessing
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.training.checkpoint import CheckpointFolder
from ssd_core.training.trainer import Pace, Trainer
from ssd_core.training.world import World
from ssd_core.weights.importing import weights_from
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.layouts.layout import ImportChoices


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # two threads on busy cores are many times slower
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> ShardSet:
    return ShardSet(drawn_shards(str(tmp_path_factory.mktemp("drawn")), images=8))


@pytest.fixture
def recipe(shards: ShardSet) -> Recipe:
    return Recipe(
        spec=ssd_tiny(shards.classes),
        augmentation=STARRED,
        schedule=Schedule(iterations=2, base_lr=1e-3, drops=()),
        batch_size=4,
        optimiser="adamw",
    )


def raw_outputs(ssd: SSD, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Locations, logits and default boxes in fractions, as torchvision computes them."""
    images, _ = ssd.transform(list(batch.images / 255))
    maps = list(ssd.backbone(images.tensors).values())
    outputs = ssd.head(maps)
    (boxes_xyxy,) = ssd.anchor_generator(ImageList(images.tensors[:1], images.image_sizes[:1]), maps)
    return outputs["bbox_regression"], outputs["cls_logits"], boxes_xyxy / batch.images.shape[-1]


def test_both_sides_begin_with_the_same_outputs_and_default_boxes(shards, recipe):
    detector = initial_detector(recipe.spec, 0)
    batch = OurBatches(shards, recipe)[0]
    with torch.no_grad():
        locations, logits = detector(batch.images)
        their_locations, their_logits, their_boxes_xyxy = raw_outputs(torchvision_ssd(detector), batch)
    torch.testing.assert_close(their_locations, locations, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(their_logits, logits, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(their_boxes_xyxy, to_xyxy(detector.default_boxes), atol=1e-6, rtol=0)


@pytest.mark.parametrize("stream", [OurBatches, TorchvisionBatches])
def test_both_losses_are_equal_where_no_default_box_is_contested(shards, recipe, stream):
    detector = initial_detector(recipe.spec, 0)
    batch = stream(shards, recipe)[0]
    # with one object per image, no other can take its box
    batch = batch._replace(objects=type(batch.objects)(*(values[:, :1] for values in batch.objects)))
    ours = our_loss(detector, batch)
    assert float(ours.detach()) > 1
    torch.testing.assert_close(torchvision_loss(torchvision_ssd(detector).train(), batch), ours, rtol=1e-4, atol=0)


@pytest.mark.parametrize("loss", ["ours", "torchvision"])
@pytest.mark.parametrize("stream", [OurBatches, TorchvisionBatches])
def test_two_iterations_of_each_side_move_the_shared_weights_and_stay_finite(shards, recipe, loss: Whose, stream):
    detector = initial_detector(recipe.spec, 0)
    before = {name: tensor.clone() for name, tensor in detector.state_dict().items()}
    losses = train(detector, loss, batches(stream(shards, recipe), 2), recipe)
    assert len(losses) == 2
    assert np.isfinite(losses).all()
    after = detector.state_dict()
    assert all(tensor.isfinite().all() for tensor in after.values())
    assert [name for name, tensor in after.items() if torch.equal(tensor, before[name])] == []


def test_our_side_is_bitwise_the_training_of_the_pipeline(shards, recipe, tmp_path: Path):
    class Silent:
        def point(self, step: int, values: Any) -> None: ...
        def progress(self, step: int, total: int, note: str) -> None: ...

    trainer = Trainer(
        recipe,
        initial_detector(recipe.spec, 0),
        world=World(),
        checkpoints=CheckpointFolder(path=str(tmp_path)),
        listener=Silent(),
        pace=Pace(),
    )
    trained = trainer.run(batches(OurBatches(shards, recipe), 2)).state_dict()
    detector = initial_detector(recipe.spec, 0)
    train(detector, "ours", batches(OurBatches(shards, recipe), 2), recipe)
    assert all(torch.equal(tensor, trained[name]) for name, tensor in detector.state_dict().items())


@pytest.mark.slow
def test_on_an_imported_ssd300_our_loss_differs_from_torchvisions_by_matching_only(shards):
    torch.manual_seed(0)
    ssd = ssd300_vgg16(weights=None, weights_backbone=None, num_classes=21).train()
    detector = weights_from(ssd.state_dict(), ImportChoices()).detector().train()
    plain = Recipe(spec=detector.spec, augmentation=NO_AUGMENTATION, batch_size=2)
    result = compare_on(ssd, detector, TrainingStream(shards, plain, stop=1))
    (batch,) = result["batches"]
    assert batch["matched by ours"] > 10
    assert batch["ours, torchvision's matches"] == pytest.approx(batch["torchvision"], rel=1e-5)
    cosines = [layer["ours, torchvision's matches"]["cosine"] for layer in result["layers"].values()]
    assert len(cosines) == 15 + 8 + 12 + 1  # VGG16, the extra layers, the heads, the L2 normalisation
    assert min(cosines) > 0.9999


def test_both_streams_hold_the_same_images_at_each_step(shards, recipe):
    streams = [islice(batches(stream(shards, recipe), 4), 4) for stream in (OurBatches, TorchvisionBatches)]
    for ours, theirs in zip(*streams, strict=True):
        assert ours.image_ids == theirs.image_ids
        assert ours.positions.tolist() == theirs.positions.tolist()
        assert theirs.images.shape == ours.images.shape


def test_torchvisions_augmentation_keeps_boxes_within_the_image_and_is_deterministic(shards, recipe):
    batch, again = (TorchvisionBatches(shards, recipe)[1] for _ in range(2))
    assert torch.equal(batch.images, again.images)
    boxes_xyxy = batch.objects.boxes_xyxy[batch.objects.valid]
    assert len(boxes_xyxy) >= 4  # its crop keeps at least one object of each image
    assert boxes_xyxy.min() >= 0
    assert boxes_xyxy.max() <= 1
    assert (boxes_xyxy[:, 2:] > boxes_xyxy[:, :2]).all()
    assert 0 <= batch.images.min() < 100 < batch.images.max() <= 255


def test_another_seed_gives_another_augmentation(shards, recipe):
    first, second = (TorchvisionBatches(shards, replace(recipe, seed=seed))[0] for seed in (0, 1))
    assert first.image_ids != second.image_ids or not torch.equal(first.images, second.images)


def test_both_sides_detect_the_same_in_images_of_the_input_size(tmp_path: Path):
    shards = ShardSet(drawn_shards(str(tmp_path), images=4))
    detector = initial_detector(ssd_tiny(shards.classes), 0).eval()
    found = dict(detections(detector, shards))
    objects = truth(shards)
    for whose in ("ours", "torchvision"):
        results = evaluate(found[whose], objects, class_count=len(shards.classes))
        assert sum(result.detections for result in results) > 0
        assert found[whose].labels.min() >= 0
        assert found[whose].labels.max() < len(shards.classes)
    # both keep 200 per image; torchvision clips boxes and resizes in floating point, so the last few differ
    ours, theirs = (np.sort(found[whose].scores)[::-1][:20] for whose in ("ours", "torchvision"))
    np.testing.assert_allclose(ours, theirs, atol=0.02)


def test_rows_without_objects_are_excluded(shards, tmp_path: Path):
    chosen = with_objects(shards, tmp_path / "chosen")
    assert chosen.classes == shards.classes
    assert [row.image_id for row in chosen] == [row.image_id for row in shards if len(row.labels)]
    chosen.verify()


def test_bgr_is_refused_since_torchvision_expects_rgb():
    spec = replace(ssd_tiny(("cat",)), preprocessing=Preprocessing())
    with pytest.raises(ValueError, match="RGB"):
        torchvision_ssd(Detector(spec))


def test_a_mix_names_what_is_not_ours():
    assert mixed("loss=torchvision") == ("torchvision", "ours")
    assert mixed("augment=torchvision,loss=ours") == ("ours", "torchvision")
    with pytest.raises(ValueError, match="los=torchvision"):
        mixed("los=torchvision")


def _result(loss: str, augment: str, seed: int, ours: float, theirs: float) -> dict[str, Any]:
    detection = {"ours": ours, "torchvision": theirs}
    return {
        "trial": "bccd", "loss": loss, "augment": augment, "seed": seed, "classes": ["RBC"], "train_images": 10,
        "test_images": 5, "input_size": 130, "iterations": 100, "batch_size": 8, "training_seconds": 60.0,
        "device": "cpu", "torch": "2", "torchvision": "0",
        "detection": {whose: {"map_11point": value, "map_area": value} for whose, value in detection.items()},
    }  # fmt: skip


def test_differences_in_the_table_are_computed_seed_by_seed():
    page = table(
        [
            _result("ours", "ours", 0, 0.5, 0.49),
            _result("ours", "ours", 1, 0.7, 0.69),
            _result("torchvision", "torchvision", 0, 0.45, 0.46),
            _result("torchvision", "torchvision", 1, 0.65, 0.66),
        ]
    )
    # 50 and 70: mean 60, deviation 14.1; 46 and 66 against them: -4 both times
    assert "| ours | ours | ours | 2 | **60.0 ± 14.1** | 60.0 ± 14.1 |  | 1.0 min |" in page
    assert (
        "| torchvision | torchvision | torchvision | 2 | **56.0 ± 14.1** | 56.0 ± 14.1 | -4.0 ± 0.0 | 1.0 min |" in page
    )
