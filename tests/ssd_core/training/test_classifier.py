"""Training of a backbone as a classifier."""

from __future__ import annotations

import torch

from ssd_core.spec.schedule import Schedule
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.training.classifier import Classifier, accuracy, backbone_alone, train_classifier


def coloured(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Images that are red or blue, with noise, and which of both."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % 2
    images = torch.randint(0, 100, (count, 3, 32, 32), dtype=torch.uint8, generator=generator)
    images[labels == 0, 0] += 100
    images[labels == 1, 2] += 100
    return images, labels


def test_it_learns_to_tell_red_from_blue() -> None:
    classifier = Classifier(ssd_tiny(("any",)), 2, torch.Generator().manual_seed(0))
    losses: list[float] = []
    schedule = Schedule(iterations=12, base_lr=1e-3)
    train_classifier(classifier, [coloured(8)] * 20, schedule, lambda _, loss: losses.append(loss))
    assert len(losses) == 12
    assert losses[-1] < 0.5 * losses[0]
    assert accuracy(classifier, [coloured(16)]) > 0.8


def test_its_backbone_has_the_names_of_a_detector_without_extra_layers() -> None:
    spec = ssd_tiny(("any",))
    classifier = Classifier(spec, 2, torch.Generator().manual_seed(0))
    assert {name.split(".")[1] for name in classifier.backbone_state()} == {"conv4_3", "conv7"}
    assert [source.layer for source in backbone_alone(spec).sources] == ["conv7"]
