"""The reference of `render`: the whole patch as an image, each step of its colours by itself, one resize."""

from __future__ import annotations

import cv2
import numpy as np

from ssd_core.data.augment.crop import pixel_window
from ssd_core.data.augment.photometric import Distortion
from ssd_core.data.augment.pipeline import Plan

Colour = tuple[int, int, int]
HUE, SATURATION = 0, 1


def rendered_plainly(image: np.ndarray, plan: Plan, size: int, fill_rgb: Colour) -> np.ndarray:
    """Apply a plan to the pixels, empty canvas included."""
    patch = cut(image, plan, fill_rgb)
    resized = cv2.resize(patch, (size, size), interpolation=plan.interpolation)
    return cv2.flip(resized, 1) if plan.flip else resized


def cut(image: np.ndarray, plan: Plan, fill_rgb: Colour) -> np.ndarray:
    canvas = plan.canvas
    window = pixel_window(plan.patch_xyxy, canvas.width, canvas.height)
    left, top, right, bottom = np.subtract(window, (canvas.left, canvas.top) * 2)
    rows = slice(max(top, 0), min(bottom, canvas.image_height))
    columns = slice(max(left, 0), min(right, canvas.image_width))
    patch = np.full((bottom - top, right - left, 3), fill_rgb, np.uint8)
    if rows.start < rows.stop and columns.start < columns.stop:
        shown = distorted_plainly(image[rows, columns], plan.distortion)
        patch[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = shown
    return patch


def distorted_plainly(image: np.ndarray, distortion: Distortion) -> np.ndarray:
    """Distort step by step, with 8 bits between them."""
    if distortion.brightness != 0:
        image = cv2.LUT(image, table(1.0, distortion.brightness))
    if distortion.contrast != 1 and distortion.contrast_first:
        image = cv2.LUT(image, table(distortion.contrast, 0.0))
    if distortion.saturation != 1:
        image = change_hsv(image, SATURATION, table(distortion.saturation, 0.0))
    if distortion.hue != 0:
        image = change_hsv(image, HUE, table(1.0, distortion.hue))
    if distortion.contrast != 1 and not distortion.contrast_first:
        image = cv2.LUT(image, table(distortion.contrast, 0.0))
    return image


def table(factor: float, offset: float) -> np.ndarray:
    return np.clip(np.rint(np.arange(256) * factor + offset), 0, 255).astype(np.uint8)


def change_hsv(image: np.ndarray, channel: int, values: np.ndarray) -> np.ndarray:
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    hsv[..., channel] = cv2.LUT(hsv[..., channel], values)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
