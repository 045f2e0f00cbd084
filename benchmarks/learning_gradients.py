"""One step of the full SSD300 compared with torchvision's: same weights and images, losses and gradients per layer.

The reference is torchvision's unmodified `ssd300_vgg16` with random weights: its network, preprocessing, default boxes,
matching and loss. Ours is the result of importing it. Three losses: torchvision's, ours, and ours with torchvision's
matches, which shows how much of a difference is due to matching. Gradients are summed over batches of 8 images, which
are only resized. In float32, rounding decides which of several equally good default boxes an object gets, and which
pixel of a pool passes the gradient; `--double` removes the first effect and nearly all of the second.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float
from learning_packing import packed
from learning_sides import torchvision_loss, torchvision_targets
from torch import Tensor, nn
from torchvision.models.detection import ssd300_vgg16
from torchvision.models.detection.ssd import SSD
from torchvision.ops import box_iou

from ssd_core.boxes.frames import pairwise_iou, to_xyxy
from ssd_core.boxes.matching import NEGATIVE, Matches, match
from ssd_core.boxes.objects import Objects
from ssd_core.data.training_stream import Batch, TrainingStream
from ssd_core.network.model import Detector
from ssd_core.spec.augmentation import Augmentation
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.vocabularies import VOC_CLASSES
from ssd_core.training.loss import LossSums, hard_negatives, multibox_loss
from ssd_core.weights.importing import tensor_names, weights_from
from ssd_core.weights.layouts.known import LAYOUTS
from ssd_core.weights.layouts.layout import ImportChoices
from stages.datasets.voc import VocFolder
from stages.shards.shard import Shard

BATCH = 8
ROUNDING = 1e-5
NO_AUGMENTATION = Augmentation(photometric=False, crop=False, random_interpolation=False, flip=False)

Gradients = list[Tensor]
"""Gradients of each layer, weights and biases in one vector."""


def compare_gradients(options: argparse.Namespace) -> None:
    """Run, write and print the comparison."""
    source = VocFolder(name="voc2007", root=str(options.data / "voc2007/VOC2007"), split="trainval")
    (shards,) = packed([Shard(sources=(source,), classes=VOC_CLASSES, variant="gradients")], options.work / "store")
    torch.manual_seed(0)
    ssd = ssd300_vgg16(weights=None, weights_backbone=None, num_classes=len(VOC_CLASSES) + 1).train()
    detector = weights_from(ssd.state_dict(), ImportChoices()).detector().train()
    if options.double:
        ssd.double()
        detector.double()
    recipe = Recipe(spec=detector.spec, augmentation=NO_AUGMENTATION, batch_size=BATCH)
    stream = TrainingStream(shards, recipe, stop=options.images // BATCH)
    result = compare_on(ssd, detector, stream) | {
        "images": options.images,
        "precision": "float64" if options.double else "float32",
        "torch": torch.__version__,
    }
    stem = options.results / f"{datetime.now(UTC):%Y-%m-%d}-learning-gradients{'-float64' if options.double else ''}"
    Path(f"{stem}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    Path(f"{stem}.md").write_text(page(result), encoding="utf-8")
    print(page(result))


def parameter_pairs(detector: Detector, ssd: SSD) -> dict[str, list[tuple[nn.Parameter, nn.Parameter]]]:
    """Return the parameters of each of our layers, paired with torchvision's that were imported into them."""
    ours, theirs = dict(detector.named_parameters()), dict(ssd.named_parameters())
    pairs: dict[str, list[tuple[nn.Parameter, nn.Parameter]]] = {}
    for name, their_name in tensor_names(LAYOUTS["torchvision"], detector.spec).items():
        layer = name.rpartition(".")[0].removesuffix(".conv")
        pairs.setdefault(layer, []).append((ours[name], theirs[their_name]))
    return pairs


def compare_on(ssd: SSD, detector: Detector, stream: Sequence[Batch] | TrainingStream) -> dict[str, Any]:
    """Return losses and counts of each batch, and cosines of the summed gradients of each layer."""
    rows, sums = [], dict[str, Gradients]()
    for batch in stream:
        batch = in_precision(batch, detector.default_boxes.dtype)
        losses, gradients, counts = one_batch(ssd, detector, batch)
        rows.append({**losses, **counts})
        print(rows[-1], flush=True)
        for side, values in gradients.items():
            sums[side] = [a + b for a, b in zip(sums[side], values, strict=True)] if side in sums else values
    names = list(parameter_pairs(detector, ssd))
    layers = {
        name: {
            "ours": agreement(sums["torchvision"][at], sums["ours"][at]),
            "ours, torchvision's matches": agreement(sums["torchvision"][at], sums["ours, torchvision's matches"][at]),
        }
        for at, name in enumerate(names)
    }
    return {"batches": rows, "layers": layers}


def in_precision(batch: Batch, precision: torch.dtype) -> Batch:
    objects = batch.objects._replace(boxes_xyxy=batch.objects.boxes_xyxy.to(precision))
    return batch._replace(images=batch.images.to(precision), objects=objects)


def one_batch(
    ssd: SSD, detector: Detector, batch: Batch
) -> tuple[dict[str, float], dict[str, Gradients], dict[str, float]]:
    """Return losses and gradients by side, and counts of the differences in matching."""
    own = match(detector.default_boxes, batch.objects, detector.spec)
    theirs = torchvision_matches(ssd, detector, batch.objects)
    pairs = parameter_pairs(detector, ssd).values()
    their_loss = torchvision_loss(ssd, batch)
    gradients = {"torchvision": _gradients(their_loss, [[part for _, part in layer] for layer in pairs])}
    locations, logits = detector(batch.images)
    losses = {"torchvision": float(their_loss.detach())}
    for side, matches in (("ours, torchvision's matches", theirs), ("ours", own)):
        sums = multibox_loss(locations, logits, matches, batch.objects, detector.default_boxes, detector.spec)
        loss = _normalised(sums)
        gradients[side] = _gradients(loss, [[part for part, _ in layer] for layer in pairs])
        losses[side] = float(loss.detach())
    return losses, gradients, _counts(own, theirs, logits.detach(), batch.objects, detector)


def torchvision_matches(ssd: SSD, detector: Detector, objects: Objects) -> Matches:
    """Return the matches of torchvision's matcher for our default boxes, as `Matches`."""
    size = detector.spec.input_size
    default_boxes_xyxy = to_xyxy(detector.default_boxes) * size
    pairs = [box_iou(target["boxes"], default_boxes_xyxy) for target in torchvision_targets(objects, size)]
    return Matches(
        torch.stack([ssd.proposal_matcher(item) for item in pairs]), torch.stack([item.amax(dim=0) for item in pairs])
    )


def agreement(reference: Float[Tensor, " n"], other: Float[Tensor, " n"]) -> dict[str, float]:
    """Return the cosine, and the norm of the difference over that of the reference; in float64."""
    reference, other = reference.double(), other.double()
    return {
        "cosine": float(torch.cosine_similarity(reference, other, dim=0)),
        "relative_difference": float((other - reference).norm() / reference.norm()),
    }


def _normalised(sums: LossSums) -> Float[Tensor, ""]:
    return (sums.location + sums.confidence) / sums.matched.clamp(min=1)


def _gradients(loss: Float[Tensor, ""], layers: list[list[nn.Parameter]]) -> Gradients:
    flat = torch.autograd.grad(loss, [parameter for layer in layers for parameter in layer], retain_graph=True)
    remaining = iter(flat)
    return [torch.cat([next(remaining).flatten() for _ in layer]) for layer in layers]


def _counts(own: Matches, theirs: Matches, logits: Tensor, objects: Objects, detector: Detector) -> dict[str, float]:
    """Count objects, matched boxes, boxes matched differently, and objects without any box."""
    owners, their_owners = own.truth.clamp(min=NEGATIVE), theirs.truth.clamp(min=NEGATIVE)
    used = [hard_negatives(logits, matches) for matches in (own, theirs)]
    image, box = (owners != their_owners).nonzero(as_tuple=True)
    pair = torch.stack([owners[image, box], their_owners[image, box]])
    tied = _has_equally_good_boxes(objects, detector)[image, pair.amax(dim=0)] & (pair.amin(dim=0) == NEGATIVE)
    return {
        "objects": int(objects.valid.sum()),
        "matched by ours": int(own.matched_count()),
        "matched by torchvision": int(theirs.matched_count()),
        "boxes matched differently": len(box),
        "of these, for objects with several equally good boxes": int(tied.sum()),
        "objects without a box, ours": _without(own, objects),
        "objects without a box, torchvision": _without(theirs, objects),
        "negatives that differ": int((used[0] != used[1]).sum()),
    }


def _has_equally_good_boxes(objects: Objects, detector: Detector) -> Bool[Tensor, "B G"]:
    """Return a mask of the objects whose largest overlap several default boxes share, up to rounding."""
    pairs = pairwise_iou(objects.boxes_xyxy, to_xyxy(detector.default_boxes))
    return (pairs > pairs.amax(dim=2, keepdim=True) - ROUNDING).sum(dim=2) > 1


def _without(matches: Matches, objects: Objects) -> int:
    matched = (matches.truth[:, None] == torch.arange(objects.valid.shape[1])[:, None]).any(dim=2)
    return int((objects.valid & ~matched).sum())


def page(result: dict[str, Any]) -> str:
    """Return the comparison as Markdown."""
    batches, sides = result["batches"], ("ours", "ours, torchvision's matches")
    lines = [
        "# One step of SSD300 compared with torchvision's: losses and gradients",
        "",
        f"{result['images']} images of VOC2007 in batches of {BATCH}, random weights of torchvision's `ssd300_vgg16`, "
        f"imported; {result['precision']} on a CPU, torch {result['torch']}.",
        "",
        "| | largest relative difference of the loss of a batch | smallest cosine of a layer | largest relative "
        "difference of a layer |",
        "|---|---:|---:|---:|",
    ]
    for side in sides:
        loss = max(abs(row[side] / row["torchvision"] - 1) for row in batches)
        layers = [layer[side] for layer in result["layers"].values()]
        cosine = min(layer["cosine"] for layer in layers)
        difference = max(layer["relative_difference"] for layer in layers)
        lines.append(f"| {side} | {loss:.2e} | {cosine:.8f} | {difference:.2e} |")
    lines += ["", "| | " + " | ".join(f"batch {at}" for at in range(len(batches))) + " |"]
    lines.append("|---|" + "---:|" * len(batches))
    for name in batches[0]:
        lines.append(f"| {name} | " + " | ".join(f"{row[name]:.6g}" for row in batches) + " |")
    lines += ["", "| layer | cosine, ours | relative difference, ours | the same with torchvision's matches |"]
    lines.append("|---|---:|---:|---:|")
    for name, layer in result["layers"].items():
        own, same = layer[sides[0]], layer[sides[1]]
        lines.append(
            f"| {name} | {own['cosine']:.6f} | {own['relative_difference']:.2e} | {same['relative_difference']:.2e} |"
        )
    return "\n".join(lines) + "\n"
