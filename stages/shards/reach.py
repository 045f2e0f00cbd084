"""Count the objects of a data set that the default boxes of a specification reach, by scale, size and class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float64
from numpy import ndarray

from ssd_core.boxes.coverage import coverage, scale_names, scale_of_boxes
from ssd_core.spec.detector import DetectorSpec
from stages.shards.album import AlbumContents

SIDES = (0, 8, 16, 32, 64, 128, 256, float("inf"))
"""Bounds of the size bins: side of the square with the object's area, in pixels of the network's input."""


@dataclass(frozen=True, kw_only=True)
class ScaleReach:
    """Objects reached by one scale of the default boxes."""

    name: str
    default_boxes: int
    best: int
    """Number of objects whose best default box has this scale and an overlap of at least one half."""

    reached: int
    """Number of objects that a default box of this scale overlaps by at least one half; scales may share objects."""


@dataclass(frozen=True, kw_only=True)
class GroupReach:
    """Objects of one size or class, and how many are not reached."""

    name: str
    objects: int
    unreached: int

    @property
    def share(self) -> float:
        """Share of the objects that no default box overlaps by at least one half; 0 without objects."""
        return self.unreached / self.objects if self.objects else 0.0


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Counts over all objects except crowds, which are never trained on."""

    all: GroupReach
    scales: tuple[ScaleReach, ...]
    sizes: tuple[GroupReach, ...]
    classes: tuple[GroupReach, ...]


def reach_of(seen: AlbumContents, spec: DetectorSpec) -> Reach:
    """Compare the objects of a data set with the default boxes of `spec`."""
    single = ~seen.crowd
    boxes_xyxy, labels = seen.boxes_xyxy[single], seen.labels[single]
    found = coverage(torch.from_numpy(boxes_xyxy).float(), spec)
    unreached = ~found.reached().numpy()
    best = found.best_scale()[found.reached()].bincount(minlength=found.iou.shape[1])
    names = scale_names(spec)
    totals = scale_of_boxes(spec).bincount(minlength=len(names))
    bins = np.digitize(sides(boxes_xyxy, spec), SIDES[1:-1])
    return Reach(
        all=_group("all", np.ones_like(unreached), unreached),
        scales=tuple(
            ScaleReach(name=name, default_boxes=int(total), best=int(first), reached=int(some))
            for name, total, first, some in zip(names, totals, best, (found.boxes > 0).sum(dim=0), strict=True)
        ),
        sizes=tuple(_group(_size_name(number), bins == number, unreached) for number in range(len(SIDES) - 1)),
        classes=tuple(_group(name, labels == label, unreached) for label, name in enumerate(seen.classes)),
    )


def sides(boxes_xyxy: Float64[ndarray, "G 4"], spec: DetectorSpec) -> Float64[ndarray, " G"]:
    """Side of the square with the area of each box (fractions of the image), in pixels of the network's input."""
    width, height = (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]).T
    side: Float64[ndarray, " G"] = np.sqrt(width * height) * spec.input_size
    return side


def _group(name: str, members: Bool[ndarray, " G"], unreached: Bool[ndarray, " G"]) -> GroupReach:
    return GroupReach(name=name, objects=int(members.sum()), unreached=int((members & unreached).sum()))


def _size_name(number: int) -> str:
    low, high = SIDES[number : number + 2]
    return f"{low:.0f} to {high:.0f}" if np.isfinite(high) else f"{low:.0f} and more"
