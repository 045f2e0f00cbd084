"""Triton kernels of the suppression in fixed shapes, each for what takes torch a dozen operators over all pairs.

Of an image's `count` candidates each is compared with all others. `width` is a power of two that holds them, and at
least 64; 32 comparisons share an integer. A program handles `block` candidates of one image, or a whole image.

Tested in tests/ssd_core/detection/test_fused.py, on a CPU by Triton's interpreter.
"""

from __future__ import annotations

from typing import Any

import triton
import triton.language as tl

# the compiler resolves no names of a module but these
ALL: Any = tl.constexpr(tl.PropagateNan.ALL)


@triton.jit
def ordered(
    scores, places, labels, boxes, falling, valid, bars, box_count, count, per_class,
    min_score: tl.constexpr, more: tl.constexpr, width: tl.constexpr, block: tl.constexpr,
):  # fmt: skip
    """Sort the candidates of an image by descending score, then by place, which is by class and default box.

    Writes each one's label, box and score, and whether it enters the suppression: its score is above the bar, and fewer
    than `per_class` of its class are better. The bar is the lowest score if there are more candidates than these, and
    at least min_score. With a NaN among the scores no candidate is valid.
    """
    image = tl.program_id(0)
    others = tl.arange(0, width)
    own = tl.program_id(1) * block + tl.arange(0, block)
    score = tl.load(scores + image * count + others, mask=others < count, other=-2.0)
    own_score = tl.load(scores + image * count + own, mask=own < count, other=-2.0)
    place = tl.load(places + image * count + others, mask=others < count, other=0)
    own_place = tl.load(places + image * count + own, mask=own < count, other=0)

    failed = tl.max((score != score).to(tl.int32), axis=0)
    score = tl.where(score == score, score, -1.0)
    own_score = tl.where(own_score == own_score, own_score, -1.0)
    lowest = tl.min(tl.where(others < count, score, float("inf")), axis=0)
    bar = tl.maximum(tl.where(more, lowest, 0.0), min_score)
    bar = tl.where(failed > 0, float("inf"), bar)

    better = (score[None, :] > own_score[:, None]) | (
        (score[None, :] == own_score[:, None]) & (place[None, :] < own_place[:, None])
    )
    rank = tl.sum(better.to(tl.int32), axis=1)
    label, own_label = place // box_count, own_place // box_count
    in_class = tl.sum((better & (label[None, :] == own_label[:, None])).to(tl.int32), axis=1)
    enters = (own_score > bar) & (in_class < per_class)

    target = image * count + rank
    tl.store(labels + target, own_label, mask=own < count)
    tl.store(boxes + target, own_place % box_count, mask=own < count)
    tl.store(falling + target, own_score, mask=own < count)
    tl.store(valid + target, enters.to(tl.int8), mask=own < count)
    tl.store(bars + image, bar, mask=tl.program_id(1) == 0)


@triton.jit
def conflicts(boxes_xyxy, labels, words, count, max_iou: tl.constexpr, width: tl.constexpr, block: tl.constexpr):
    """Write for each candidate a bit for each better one of its class that it overlaps by more than max_iou.

    In double precision, with each operation rounded by itself, and NaN as torch has it.
    """
    image = tl.program_id(0)
    others = tl.arange(0, width)
    own = tl.program_id(1) * block + tl.arange(0, block)
    corner, own_corner = boxes_xyxy + (image * count + others) * 4, boxes_xyxy + (image * count + own) * 4
    left = tl.load(corner, mask=others < count, other=0.0).to(tl.float64)
    top = tl.load(corner + 1, mask=others < count, other=0.0).to(tl.float64)
    right = tl.load(corner + 2, mask=others < count, other=0.0).to(tl.float64)
    bottom = tl.load(corner + 3, mask=others < count, other=0.0).to(tl.float64)
    own_left = tl.load(own_corner, mask=own < count, other=0.0).to(tl.float64)
    own_top = tl.load(own_corner + 1, mask=own < count, other=0.0).to(tl.float64)
    own_right = tl.load(own_corner + 2, mask=own < count, other=0.0).to(tl.float64)
    own_bottom = tl.load(own_corner + 3, mask=own < count, other=0.0).to(tl.float64)

    across = tl.minimum(right[None, :], own_right[:, None], propagate_nan=ALL)
    across -= tl.maximum(left[None, :], own_left[:, None], propagate_nan=ALL)
    down = tl.minimum(bottom[None, :], own_bottom[:, None], propagate_nan=ALL)
    down -= tl.maximum(top[None, :], own_top[:, None], propagate_nan=ALL)
    shared = tl.maximum(across, 0.0, propagate_nan=ALL) * tl.maximum(down, 0.0, propagate_nan=ALL)
    area, own_area = (right - left) * (bottom - top), (own_right - own_left) * (own_bottom - own_top)
    union = (area[None, :] + own_area[:, None]) - shared

    label = tl.load(labels + image * count + others, mask=others < count, other=-1)
    own_label = tl.load(labels + image * count + own, mask=own < count, other=-2)
    most = tl.full((), max_iou, tl.float64)  # Triton 3.6 rounds a mere constant to single precision
    hit = (shared / union > most) & (label[None, :] == own_label[:, None]) & (others[None, :] < own[:, None])
    bits = tl.reshape(hit.to(tl.int32), (block, width // 32, 32)) << tl.arange(0, 32)[None, None, :]
    row = words + (image * width + own) * (width // 32)
    tl.store(row[:, None] + tl.arange(0, width // 32)[None, :], tl.sum(bits, axis=2))


@triton.jit
def greedy(words, valid, bars, slots, status, images, count, per_image, min_score: tl.constexpr, width: tl.constexpr):
    """Find the detections of an image: a candidate is kept if and only if none of its better conflicts is kept.

    Starting from all, each pass settles at least one more candidate, so that a pass that changes nothing has found
    them. Writes the rank of each detection among the image's (-1: none), their number, and whether these are all.
    """
    image = tl.program_id(0)
    rows = tl.arange(0, width)
    word = words + (image * width + rows[:, None]) * (width // 32) + tl.arange(0, width // 32)[None, :]
    conflict = tl.load(word)
    start = tl.load(valid + image * count + rows, mask=rows < count, other=0).to(tl.int32)
    kept = start
    changed = tl.sum(start, axis=0)
    while changed > 0:
        bits = tl.reshape(kept, (width // 32, 32)) << tl.arange(0, 32)[None, :]
        beaten = tl.sum(((conflict & tl.sum(bits, axis=1)[None, :]) != 0).to(tl.int32), axis=1)
        after = tl.where(beaten > 0, 0, start)
        changed = tl.sum((after != kept).to(tl.int32), axis=0)
        kept = after

    rank = tl.cumsum(kept, axis=0)
    kept = tl.where(rank <= per_image, kept, 0)
    total = tl.sum(kept, axis=0)
    complete = (total == per_image) | (tl.load(bars + image) <= min_score)
    tl.store(slots + image * count + rows, tl.where(kept > 0, rank - 1, -1), mask=rows < count)
    tl.store(status + image, total)
    tl.store(status + images + image, complete.to(tl.int32))


@triton.jit
def packed(
    labels, falling, boxes_xyxy, slots, status, out_images, out_labels, out_scores, out_boxes, count,
    padded: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    """Write the detections of an image behind those of the images before it. padded is a power of two."""
    image = tl.program_id(0)
    before = tl.arange(0, padded)
    rows = tl.arange(0, width)
    first = tl.sum(tl.load(status + before, mask=before < image, other=0), axis=0)
    slot = tl.load(slots + image * count + rows, mask=rows < count, other=-1)
    kept, target, own = slot >= 0, first + slot, image * count + rows
    tl.store(out_images + target, (rows * 0 + image).to(tl.int64), mask=kept)
    tl.store(out_labels + target, tl.load(labels + own, mask=kept, other=0), mask=kept)
    tl.store(out_scores + target, tl.load(falling + own, mask=kept, other=0.0), mask=kept)
    coordinate = tl.arange(0, 4)[None, :]
    values = tl.load(boxes_xyxy + own[:, None] * 4 + coordinate, mask=kept[:, None], other=0.0)
    tl.store(out_boxes + target[:, None] * 4 + coordinate, values, mask=kept[:, None])
