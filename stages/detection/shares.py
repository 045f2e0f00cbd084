"""Detection over shards, one task per share of the images.

Tested in tests/stages/detection/test_detect.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import uuid4

import pyarrow as pa
import torch

from pipeline.folder import Folder
from pipeline.stage import Context, Resources, Stage
from ssd_core.data.evaluation_stream import EvaluationBatch, evaluation_batches
from ssd_core.data.shards import ShardSet
from ssd_core.detection.decoding import Detections, detect
from ssd_core.detection.limits import PAPER_LIMITS, DetectionLimits
from stages.detection.table import DETECTIONS, SCHEMA, write_detections
from stages.shards.class_check import require_classes
from stages.training.weight_files import stored_weights


@dataclass(frozen=True, kw_only=True)
class Share:
    """The task of one worker: a detector and a range of rows of shards."""

    weights: Folder
    weights_file: str
    made_by: Stage
    """Stage that made the weights; sent along so that a worker can import the user's own backbone, if there is one."""

    shards: Folder
    start: int = 0
    stop: int | None = None
    """End of the rows; None for all rows from `start` on."""

    limits: DetectionLimits = PAPER_LIMITS
    use_gpu: bool
    batch_size: int


@dataclass(frozen=True, kw_only=True)
class Part:
    """A share, and the folder that receives its detections: all of them would not fit into the stage's memory."""

    share: Share
    folder: Folder


def detect_shards(whole: Share, ctx: Context, *, workers: int) -> None:
    """Spread all images over the workers and write the detections in the order of the images."""
    images = len(ShardSet(whole.shards.path, whole.shards.filesystem))
    size = share_size(images, workers, whole.batch_size)
    shares = [replace(whole, start=start, stop=min(start + size, images)) for start in range(0, images, size)]
    parts = [Part(share=share, folder=ctx.work) for share in shares]
    names = ctx.map(write_part, parts, resources=Resources(cpus=1, gpus=1 if whole.use_gpu else 0))
    with ctx.out.open_output(DETECTIONS) as stream:
        write_detections(stream, (table for name in names for table in _tables_in(ctx.work, name)))


def share_size(images: int, workers: int, batch_size: int) -> int:
    """Images per task: a few tasks per worker, so that a slow task does not delay the others.

    A multiple of the batch size, so that the batches are the same for any number of workers.
    """
    wanted = max(64, -(-images // (4 * workers)))
    return -(-wanted // batch_size) * batch_size


def write_part(part: Part) -> str:
    """Write the detections of one share, batch by batch; return the name of the file."""
    name = f"detections-{part.share.start:09d}-{uuid4().hex[:8]}.arrow"  # a lost worker may still write its own
    with part.folder.open_output(name) as stream, pa.ipc.new_stream(stream, SCHEMA) as writer:
        for table in _detected(part.share):
            writer.write_table(table)
    return name


def _tables_in(folder: Folder, name: str) -> Iterator[pa.Table]:
    with folder.open_whole(name) as stream, pa.ipc.open_stream(stream) as batches:
        for batch in batches:
            yield pa.Table.from_batches([batch])


def detect_share(share: Share) -> pa.Table:
    """Table of the detections of one share."""
    return pa.concat_tables(_detected(share))


def _detected(share: Share) -> Iterator[pa.Table]:
    """Detections of one share, batch by batch."""
    device = torch.device("cuda" if share.use_gpu and torch.cuda.is_available() else "cpu")
    detector = stored_weights(share.weights, share.weights_file).detector().to(device)
    detector.to(memory_format=torch.channels_last)
    shards = ShardSet(share.shards.path, share.shards.filesystem)
    require_classes(shards, detector.spec)
    batches = evaluation_batches(
        shards,
        input_size=detector.spec.input_size,
        batch_size=share.batch_size,
        rows=range(share.start, len(shards) if share.stop is None else share.stop),
    )
    return (_table(batch, detect(detector, batch.images.to(device), share.limits)) for batch in batches)


def _table(batch: EvaluationBatch, found: Detections) -> pa.Table:
    images, labels, scores, boxes_xyxy = (values.cpu() for values in found)
    pixels = boxes_xyxy * batch.sizes_wh.repeat(1, 2)[images]  # from fractions of the image
    ids = pa.array(batch.image_ids, pa.string()).take(pa.array(images.numpy()))
    columns = [ids, labels.int().numpy(), scores.float().numpy(), *pixels.float().numpy().T]
    return pa.Table.from_arrays([pa.array(column) for column in columns], schema=SCHEMA)
