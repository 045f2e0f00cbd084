"""Default boxes of a specification (paper section 2.2; prior_box_layer.cpp of weiliu89/caffe).

Centres are (cell + 0.5) * step / input size with the step of the source, so the last column of a 38 x 38 map with step
8 at input 300 lies exactly at 1.0. Boxes are not clipped to the image unless the specification says so.
Order: sources as in the specification; cells row by row; within a cell, scale by scale; within a scale, the small
square, the large square, then each ratio followed by its reciprocal.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from ssd_core.spec.detector import DetectorSpec, Scale, Source


def default_boxes(spec: DetectorSpec) -> Float[Tensor, "K 4"]:
    """Return the boxes as cxcywh, fractions of the input; float32, computed in float64."""
    cells = spec.cells()
    maps = [_boxes_of_source(source, cells[source.layer]) for source in spec.sources]
    boxes_cxcywh = torch.from_numpy((np.concatenate(maps) / spec.input_size).astype(np.float32))
    if spec.clip_sizes:
        boxes_cxcywh[:, 2:] = boxes_cxcywh[:, 2:].clamp(max=1)
    return boxes_cxcywh.clamp(0, 1) if spec.clip_boxes else boxes_cxcywh


def _boxes_of_source(source: Source, cells: int) -> npt.NDArray[np.float64]:
    """Return boxes (cells * cells * boxes_per_cell, 4) as cxcywh in pixels of the input."""
    centres = (np.arange(cells) + 0.5) * source.step
    sizes = np.array([size for scale in source.scales for size in _sizes(scale)])
    y, x, _ = np.meshgrid(centres, centres, sizes[:, 0], indexing="ij")
    return np.concatenate([np.stack([x, y], axis=-1), np.broadcast_to(sizes, (*x.shape, 2))], axis=-1).reshape(-1, 4)


def _sizes(scale: Scale) -> Iterator[tuple[float, float]]:
    """Yield width and height of each box of a scale, in pixels."""
    yield scale.size, scale.size
    if scale.large_square:
        large = sqrt(scale.size * scale.next_size)
        yield large, large
    for ratio in scale.ratios:
        long, short = scale.size * sqrt(ratio), scale.size / sqrt(ratio)
        yield long, short
        yield short, long
