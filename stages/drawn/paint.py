"""Colour and texture: backgrounds, and patches painted on them. Images are float32 (H, W, 3), RGB, 0 to 255.

Tested in tests/stages/drawn/test_draw.py.
"""

from __future__ import annotations

import colorsys

import cv2
import numpy as np

from stages.drawn.patch import Patch, overlap
from stages.drawn.shapes import Array

Colour = tuple[float, float, float]
"""RGB, 0 to 255."""

HUE_SPREAD = 0.04
"""Largest distance of an object's hue from the hue of its class."""


def ground(height: int, width: int, rng: np.random.Generator) -> Array:
    """A muted, textured background: two colours mixed by a pattern and noise of two sizes, with light from one side."""
    hue = rng.random()
    first = _colour(hue, rng.uniform(0.03, 0.2), rng.uniform(0.4, 0.95))
    second = _colour(hue + rng.normal(0, 0.1), rng.uniform(0.03, 0.2), rng.uniform(0.4, 0.95))
    clouds = _noise(height, width, rng, cells=4) + 0.5 * _noise(height, width, rng, cells=16)
    image = _mixed(first, second, 0.55 * clouds / 1.5 + 0.45 * _pattern(height, width, rng, period=rng.uniform(8, 40)))
    light = 1 + rng.uniform(0, 0.25) * (_ramp(height, width, rng) - 0.5)
    return image * _three(light)


def grain(height: int, width: int, rng: np.random.Generator) -> Array:
    """Sensor noise, equal in the three channels."""
    return _three(rng.standard_normal((height, width), dtype=np.float32) * np.float32(rng.uniform(2, 7)))


def object_paint(hue: float, height: int, width: int, rng: np.random.Generator) -> Array:
    """Paint of one object: a vivid colour near the hue of its class, often in two tones, with light from one side."""
    hue += rng.uniform(-HUE_SPREAD, HUE_SPREAD)
    saturation, value = rng.uniform(0.75, 1.0), rng.uniform(0.7, 1.0)
    first = _colour(hue, saturation, value)
    second = _colour(hue + rng.uniform(-0.03, 0.03), saturation * rng.uniform(0.6, 1.0), value * rng.uniform(0.6, 0.95))
    pattern = _pattern(height, width, rng, period=max(5.0, rng.uniform(0.15, 0.5) * min(height, width)))
    return _mixed(first, second, pattern) * _three(0.8 + 0.35 * _ramp(height, width, rng))


def scrap_paint(height: int, width: int, rng: np.random.Generator) -> Array:
    """Paint of a distractor: any hue, duller than the objects."""
    hue, value = rng.random(), rng.uniform(0.3, 1.0)
    first = _colour(hue, rng.uniform(0.05, 0.3), value)
    second = _colour(hue + rng.normal(0, 0.1), rng.uniform(0.05, 0.3), value * rng.uniform(0.6, 1.0))
    return _mixed(first, second, _pattern(height, width, rng, period=rng.uniform(5, 20)))


def lay(image: Array, patch: Patch, paint: Array, *, shadow: float = 0.0, rim: float = 0.0) -> None:
    """Paint a patch on the image in place; `shadow` and `rim` (0 to 1) darken the background and the edge."""
    cover: Array = patch.cover.astype(np.float32) / 255
    if shadow:
        reach = 3
        soft = cv2.GaussianBlur(cv2.copyMakeBorder(cover, reach, reach, reach, reach, cv2.BORDER_CONSTANT), (0, 0), 1.5)
        _blend(image, soft * shadow, None, patch.left - reach + 1, patch.top - reach + 2)
    if rim:
        inner = cv2.erode(cover, np.ones((3, 3), np.uint8), borderValue=0)
        paint = paint * _three(1 - rim * (cover - inner))
    _blend(image, cover, paint, patch.left, patch.top)


def _blend(image: Array, cover: Array, paint: Array | None, left: int, top: int) -> None:
    """Blend paint, or black if it is None, into the image, weighted by its cover."""
    there, here = overlap(image.shape[:2], cover.shape, left, top)
    if not cover[here].size:
        return
    weight = _three(cover[here])
    if paint is None:
        image[there] *= 1 - weight
    else:
        image[there] += weight * (paint[here] - image[there])


def _colour(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return 255 * red, 255 * green, 255 * blue


def _mixed(first: Colour, second: Colour, share: Array) -> Array:
    """Mix two colours by the (H, W) shares of the second; returns (H, W, 3)."""
    start, end = np.array(first), np.array(second)
    mixed: Array = cv2.transform(share, np.stack([end - start, start], 1))
    return mixed


def _three(values: Array) -> Array:
    """Repeat (H, W) in three channels; numpy's own broadcast over a last axis of 3 is several times slower."""
    three: Array = cv2.cvtColor(values, cv2.COLOR_GRAY2RGB)
    return three


def _noise(height: int, width: int, rng: np.random.Generator, *, cells: int) -> Array:
    """Smooth noise in 0 to 1, (H, W), with about `cells` bumps along a side."""
    coarse = rng.random((cells, cells), dtype=np.float32)
    smooth: Array = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return smooth.clip(0, 1)


def _ramp(height: int, width: int, rng: np.random.Generator) -> Array:
    """A linear ramp from 0 to 1 across the canvas in a random direction, (H, W)."""
    angle = rng.uniform(0, 2 * np.pi)
    y = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None] * np.float32(np.sin(angle) / np.sqrt(2))
    x = np.linspace(-0.5, 0.5, width, dtype=np.float32) * np.float32(np.cos(angle) / np.sqrt(2))
    return y + x + np.float32(0.5)


def _pattern(height: int, width: int, rng: np.random.Generator, *, period: float) -> Array:
    """A plain area, clouds, stripes, checks or dots with this period in pixels; 0 to 1, (H, W)."""
    kind = rng.integers(5)
    angle, phase = rng.uniform(0, np.pi), rng.uniform(0, 2 * np.pi)
    if kind == 0:
        return np.zeros((height, width), np.float32)
    if kind == 1:
        return _noise(height, width, rng, cells=max(2, round(max(height, width) / period)))
    along = _wave(height, width, angle, phase, period)
    if kind > 2:
        across = _wave(height, width, angle + np.pi / 2, phase, period)
        along = 2 * along * across if kind == 3 else along + across - 1
    return (0.5 + 1.5 * along).clip(0, 1)


def _wave(height: int, width: int, angle: float, phase: float, period: float) -> Array:
    """A plane wave, -1 to 1, (H, W)."""
    y = np.arange(height, dtype=np.float32)[:, None] * np.float32(np.sin(angle) * 2 * np.pi / period)
    x = np.arange(width, dtype=np.float32) * np.float32(np.cos(angle) * 2 * np.pi / period)
    wave: Array = np.sin(y + x + np.float32(phase))
    return wave
