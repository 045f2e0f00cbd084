"""Operations of training and detection on the device against the same on the CPU, with equal inputs."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from gpu.comparison import Check, close, same_choices, same_detections
from torch import Tensor, nn

from ssd_core.backbones.layers import L2Norm
from ssd_core.boxes.default_boxes import default_boxes
from ssd_core.boxes.matching import Matches, match
from ssd_core.data.training_stream import Batch
from ssd_core.detection.decoding import detections
from ssd_core.spec.detector import DetectorSpec
from ssd_core.training.loss import hard_negatives, multibox_loss

SHAPES = {"dynamic shapes": False, "static shapes": True}
"""Both computations of matches and losses; the Trainer uses static shapes on a GPU."""

CHOICES = 1e-4
"""Share of default boxes that rounding may move over the threshold, or that nearly equal losses may swap."""

ARITHMETIC = 1e-5
"""Relative error of sums and of single layers in fp32."""

IDENTICAL_INPUT = 1e-3
"""Share of detections that nearly equal scores may exchange when both sides decode the same predictions."""

BACKGROUND = 7.0
"""Advantage of background in the drawn logits, such that some hundred scores of an image are above 0.01."""


def operation_checks(spec: DetectorSpec, batch: Batch, device: torch.device) -> Iterator[tuple[str, Check]]:
    """Yield each comparison by name."""
    boxes = default_boxes(spec)
    here = match(boxes, batch.objects, spec)
    for shapes, static in SHAPES.items():
        there = match(boxes.to(device), batch.objects.to(device), spec, static_shapes=static)
        yield f"matching, {shapes}: object of each default box", same_choices(there.truth, here.truth, CHOICES)
        yield f"matching, {shapes}: overlaps", close({"iou": there.iou}, {"iou": here.iou}, ARITHMETIC)

    locations, logits = predictions(spec, len(batch.images))
    there = Matches(*(values.to(device) for values in here))  # later operations start from equal matches
    mined, reference = hard_negatives(logits.to(device), there), hard_negatives(logits, here)
    yield "hard negatives", same_choices(mined, reference, CHOICES)
    yield "hard negatives per image", same_choices(mined.sum(dim=1), reference.sum(dim=1), 0.0)
    expected = loss_and_gradients(spec, locations, logits, here, batch, static=False)
    for shapes, static in SHAPES.items():
        found = loss_and_gradients(
            spec, locations.to(device), logits.to(device), there, batch.to(device), static=static
        )
        yield f"loss and its gradients, {shapes}", close(found, expected, ARITHMETIC)

    layers = {"GroupNorm": nn.GroupNorm(8, 64), "L2Norm": L2Norm(64, 20.0)}
    for name, layer in layers.items():
        features = torch.randn(4, 64, 38, 38, generator=torch.Generator().manual_seed(3))
        expected = layer_and_gradients(layer, features)
        yield (
            f"{name} and its gradients",
            close(layer_and_gradients(layer.to(device), features.to(device)), expected, ARITHMETIC),
        )

    quiet = logits.clone()
    quiet[:, :, 0] += BACKGROUND
    kept, wanted = (
        detections(locations.to(place), quiet.to(place), boxes.to(place), spec.variances)
        for place in (device, torch.device("cpu"))
    )
    yield "decoding and suppression of equal predictions", same_detections(kept, wanted, IDENTICAL_INPUT)


def predictions(spec: DetectorSpec, images: int) -> tuple[Tensor, Tensor]:
    """Return drawn locations and logits, on the CPU."""
    rng = torch.Generator().manual_seed(2)
    locations = torch.randn(images, spec.box_count, 4, generator=rng)
    return locations, 2 * torch.randn(images, spec.box_count, spec.class_count, generator=rng)


def loss_and_gradients(
    spec: DetectorSpec, locations: Tensor, logits: Tensor, matches: Matches, batch: Batch, *, static: bool
) -> dict[str, Tensor]:
    locations, logits = (values.clone().requires_grad_() for values in (locations, logits))
    boxes = default_boxes(spec).to(logits.device)
    sums = multibox_loss(locations, logits, matches, batch.objects, boxes, spec, static_shapes=static)
    gradients = torch.autograd.grad(sums.location + sums.confidence, [locations, logits])
    return {"location": sums.location, "confidence": sums.confidence, "d locations": gradients[0]} | {
        "d logits": gradients[1]
    }


def layer_and_gradients(layer: nn.Module, features: Tensor) -> dict[str, Tensor]:
    features = features.clone().requires_grad_()
    output: Tensor = layer(features)
    # not the sum of squares: the layers normalise, so that its gradients would vanish
    weights = torch.randn(output.shape, generator=torch.Generator().manual_seed(5)).to(output.device)
    inputs = {"features": features, **dict(layer.named_parameters())}
    gradients = torch.autograd.grad((weights * output).sum(), list(inputs.values()))
    named = {f"d {name}": gradient for name, gradient in zip(inputs, gradients, strict=True)}
    return {"output": output} | named
