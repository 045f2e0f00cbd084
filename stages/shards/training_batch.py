"""The first images of a training as its network sees them, with the default boxes that are matched to their objects."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from jaxtyping import Float
from torch import Tensor

from ssd_core.boxes.default_boxes import default_boxes
from ssd_core.boxes.frames import to_xyxy
from ssd_core.boxes.matching import Matches, match
from ssd_core.data.shards import MANIFEST, Row, ShardSet, build_manifest, write_rows
from ssd_core.data.training_stream import Batch, TrainingStream
from ssd_core.spec.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class MatchedBatch:
    """A batch after augmentation, and its matches."""

    batch: Batch
    matches: Matches
    default_boxes_xyxy: Float[Tensor, "K 4"]
    """Fractions of the image."""


def first_images(shards: ShardSet, recipe: Recipe, *, count: int) -> MatchedBatch:
    """The first images of the recipe's training on these shards; they do not depend on the size of its batches."""
    batch = TrainingStream(shards, replace(recipe, batch_size=min(count, len(shards)))).batch(0)
    boxes = default_boxes(recipe.spec)
    return MatchedBatch(
        batch=batch, matches=match(boxes, batch.objects, recipe.spec), default_boxes_xyxy=to_xyxy(boxes)
    )


def images_as_trained(rows: Sequence[Row], classes: Sequence[str], recipe: Recipe) -> MatchedBatch:
    """The given images, as in a training on them alone."""
    with TemporaryDirectory() as folder:
        file, place = "rows.parquet", Path(folder)
        groups = write_rows(str(place / file), rows)
        described = {"name": file, "rows": len(rows), "row_groups": groups}
        described["sha256"] = sha256((place / file).read_bytes()).hexdigest()
        (place / MANIFEST).write_text(json.dumps(build_manifest(classes, [described], {})), encoding="utf-8")
        return first_images(ShardSet(folder), recipe, count=len(rows))
