"""The batch sampler: crop of a random patch (paper section 2.2; sampler.cpp and annotated_data_layer.cpp).

Seven samplers: the whole image, and six that draw up to 50 patches each and keep the first that is accepted: an overlap
with *any* object of at least 0.1, 0.3, 0.5, 0.7 or 0.9, or of at most 1, which always holds. All are run, then one
patch is chosen from the samplers that succeeded. The text of the paper reads as if the sampler were drawn first; then
a failed sampler leads to another draw. `Augmentation` has the interpretations as fields. All boxes are fractions of the
image (of the canvas, if it was expanded), so aspect ratios are relative to that of the image.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Bool, Float64, Int
from numpy import ndarray

from ssd_core.spec.augmentation import PAPER, Augmentation

MIN_OVERLAPS = (0.1, 0.3, 0.5, 0.7, 0.9, 0.0)
"""Minimum overlap of each of the six samplers; the last is the random patch, "at most 1"."""

TRIALS = 50
SCALES = (0.3, 1.0)
ASPECT_RATIOS = (0.5, 2.0)
WHOLE_XYXY = np.array([0.0, 0.0, 1.0, 1.0])


def draw_patch(
    boxes_xyxy: Float64[ndarray, "G 4"], rng: np.random.Generator, augmentation: Augmentation = PAPER
) -> Float64[ndarray, " 4"]:
    """Draw a random patch for an image with these objects; without objects it is the whole image."""
    if not len(boxes_xyxy):
        return WHOLE_XYXY
    if augmentation.crop_choice == "drawn-first":
        return _patch_of_a_drawn_sampler(boxes_xyxy, rng, augmentation)
    trials_xyxy = trial_patches(rng.random((len(MIN_OVERLAPS), TRIALS, 4)), augmentation.aspect_ratio)
    suits = accepted(trials_xyxy, boxes_xyxy, np.array(MIN_OVERLAPS)[:, None], augmentation.crop_accepts)
    succeeded = np.flatnonzero(suits.any(axis=1))
    choice = int(rng.integers(len(succeeded) + 1))
    if choice == 0:
        return WHOLE_XYXY
    sampler = succeeded[choice - 1]
    patch: Float64[ndarray, " 4"] = trials_xyxy[sampler, suits[sampler].argmax()]
    return patch


def _patch_of_a_drawn_sampler(
    boxes_xyxy: Float64[ndarray, "G 4"], rng: np.random.Generator, augmentation: Augmentation
) -> Float64[ndarray, " 4"]:
    """Draw samplers, where 0 is the whole image, until one succeeds."""
    while choice := int(rng.integers(len(MIN_OVERLAPS) + 1)):
        trials_xyxy = trial_patches(rng.random((TRIALS, 4)), augmentation.aspect_ratio)
        suits = accepted(trials_xyxy, boxes_xyxy, MIN_OVERLAPS[choice - 1], augmentation.crop_accepts)
        if suits.any():
            patch: Float64[ndarray, " 4"] = trials_xyxy[suits.argmax()]
            return patch
    return WHOLE_XYXY


def accepted(
    patches_xyxy: Float64[ndarray, "*N 4"],
    boxes_xyxy: Float64[ndarray, "G 4"],
    min_overlap: float | Float64[ndarray, "*M"],
    accepts: Literal["any", "all"] = "any",
) -> Bool[ndarray, "*N"]:
    """Return whether each patch overlaps any object, or all of them, by at least `min_overlap`."""
    overlaps = _overlaps(patches_xyxy.reshape(-1, 4), boxes_xyxy)
    decisive = overlaps.max(axis=1) if accepts == "any" else overlaps.min(axis=1)
    enough: Bool[ndarray, "*N"] = decisive.reshape(patches_xyxy.shape[:-1]) >= min_overlap
    return enough


def trial_patches(
    uniform: Float64[ndarray, "*N 4"], aspect_ratio: Literal["bounded", "clamped"] = "bounded"
) -> Float64[ndarray, "*N 4"]:
    """Convert numbers in [0, 1) to patches: scale, aspect ratio that fits the image at that scale, position."""
    scale = SCALES[0] + uniform[..., 0] * (SCALES[1] - SCALES[0])
    root = np.sqrt(_aspect_ratios(uniform[..., 1], scale, clamped=aspect_ratio == "clamped"))
    width, height = scale * root, scale / root
    left, top = uniform[..., 2] * (1 - width), uniform[..., 3] * (1 - height)
    patches: Float64[ndarray, "*N 4"] = np.stack([left, top, left + width, top + height], axis=-1)
    return patches.clip(0, 1)


def _aspect_ratios(
    uniform: Float64[ndarray, "*N"], scale: Float64[ndarray, "*N"], *, clamped: bool
) -> Float64[ndarray, "*N"]:
    """Return width over height; a patch of this scale fits the image for ratios in [scale ** 2, 1 / scale ** 2]."""
    low, high = ASPECT_RATIOS
    narrowest, widest = scale**2, 1 / scale**2
    if clamped:
        return (low + uniform * (high - low)).clip(narrowest, widest)
    lowest, highest = np.maximum(low, narrowest), np.minimum(high, widest)
    ratios: Float64[ndarray, "*N"] = lowest + uniform * (highest - lowest)
    return ratios


def objects_in(
    patch_xyxy: Float64[ndarray, " 4"], boxes_xyxy: Float64[ndarray, "G 4"]
) -> tuple[Float64[ndarray, "M 4"], Int[ndarray, " M"]]:
    """Return the objects whose centre is in the patch or on its border, as clipped fractions of it, with their indices.

    As in MeetEmitConstraint and ProjectBBox of bbox_util.cpp. There may be none: a random patch can miss every object.
    """
    corners = boxes_xyxy.reshape(-1, 2, 2)
    centres = corners.sum(axis=1) / 2
    inside: Bool[ndarray, " G"] = ((centres >= patch_xyxy[:2]) & (centres <= patch_xyxy[2:])).all(axis=1)
    clipped = ((corners - patch_xyxy[:2]) / (patch_xyxy[2:] - patch_xyxy[:2])).clip(0, 1)
    kept = np.flatnonzero(inside & (clipped[:, 0] < clipped[:, 1]).all(axis=1))
    return clipped[kept].reshape(-1, 4), kept


def pixel_window(patch_xyxy: Float64[ndarray, " 4"], width: int, height: int) -> tuple[int, int, int, int]:
    """Return (left, top, right, bottom) in pixels, the last two exclusive; origin and size are truncated, size >= 1."""
    left, top = int(patch_xyxy[0] * width), int(patch_xyxy[1] * height)
    columns = max(1, int((patch_xyxy[2] - patch_xyxy[0]) * width))
    rows = max(1, int((patch_xyxy[3] - patch_xyxy[1]) * height))
    return left, top, left + columns, top + rows


def _overlaps(patches_xyxy: Float64[ndarray, "N 4"], boxes_xyxy: Float64[ndarray, "G 4"]) -> Float64[ndarray, "N G"]:
    """Return the intersection over union of each patch with each box."""
    patches, boxes = patches_xyxy.T[:, :, None], boxes_xyxy.T[:, None, :]
    widths = np.minimum(patches[2], boxes[2]) - np.maximum(patches[0], boxes[0])
    heights = np.minimum(patches[3], boxes[3]) - np.maximum(patches[1], boxes[1])
    common = np.maximum(widths, 0) * np.maximum(heights, 0)
    areas = [(corners[2] - corners[0]) * (corners[3] - corners[1]) for corners in (patches, boxes)]
    overlaps: Float64[ndarray, "N G"] = common / (areas[0] + areas[1] - common)
    return overlaps
