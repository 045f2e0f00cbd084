"""The work of the shard stage: read and check each image, write shard files in parallel, account for everything.

One shard file is one task; which images go into which file depends on the lists alone. Files are finished in
`ctx.work` with their accounts beside them, so that a killed sharding goes on after the last whole file.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.context import Context
from pipeline.errors import PipelineError
from pipeline.folder import Folder
from ssd_core.shards import MANIFEST, build_manifest, write_rows
from stages.records import LEGAL, Defect, Kind, Tally, readable_report, report
from stages.shard import Shard
from stages.voc import SPLITS, VocFolder, count_classes, image_files, listed_ids
from stages.voc_image import ListedImage, read_image


@dataclass(frozen=True, kw_only=True)
class Piece:
    """The task of one shard file."""

    name: str
    images: tuple[ListedImage, ...]
    classes: tuple[str, ...]
    ignored: tuple[str, ...]
    folder: Folder
    """Where the file goes."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """One finished shard file and its accounts."""

    file: dict[str, Any]
    """Its entry in the manifest: name, rows, row_groups, sha256."""

    objects_per_class: dict[str, int]
    tally: Tally
    defects: tuple[Defect, ...]


def write_shards(stage: Shard, ctx: Context) -> None:
    """Write the whole result of `stage`."""
    images, repeated, counts = _listed(stage, ctx)
    classes = stage.known_classes(counts)
    pieces = [
        Piece(
            name=f"images-{number:05d}.parquet",
            images=chunk,
            classes=classes,
            ignored=stage.ignore_classes,
            folder=ctx.work,
        )
        for number, chunk in enumerate(_chunks(images, stage.images_per_shard))
    ]
    written = ctx.map(write_piece, pieces)
    defects = [*repeated, *(defect for piece in written for defect in piece.defects)]
    twice = Tally(images_listed=len(repeated), images_left_out=len(repeated))
    tally = sum((piece.tally for piece in written), twice)
    _refuse(stage, tally, defects)
    _publish(ctx, classes, written, tally, defects)


def write_piece(piece: Piece) -> Written:
    """Write one shard file, unless it stands there whole."""
    if kept := _kept(piece):
        return kept
    readings = [read_image(image, piece.classes, piece.ignored) for image in piece.images]
    rows = [reading.row for reading in readings if reading.row]
    sink = io.BytesIO()
    row_groups = write_rows(sink, rows)
    content = sink.getvalue()
    labels = Counter(int(label) for row in rows for label in row.labels)
    written = Written(
        file={"name": piece.name, "rows": len(rows), "row_groups": row_groups, "sha256": _sha256(content)},
        objects_per_class={name: labels[label] for label, name in enumerate(piece.classes)},
        tally=sum((reading.tally for reading in readings), Tally()),
        defects=tuple(defect for reading in readings for defect in reading.defects),
    )
    piece.folder.replace(piece.name, content)
    piece.folder.replace(f"{piece.name}.json", json.dumps(asdict(written)).encode())
    return written


def _listed(stage: Shard, ctx: Context) -> tuple[list[ListedImage], list[Defect], Counter[str]]:
    """All images in order, without their repetitions; those repetitions; and the objects of each class name."""
    images: list[ListedImage] = []
    repeated: list[Defect] = []
    counts = Counter[str]()
    for source in stage.sources:
        folder = source.located(ctx.input(source.within) if source.within else None)
        ids = listed_ids(folder, source.split)
        counts += count_classes(folder, dict.fromkeys(ids))
        images += _images(source.name, folder, dict.fromkeys(ids))
        repeated += _repeated(source, Counter(ids))
    return images, repeated, counts


def _images(source: str, folder: Folder, ids: Iterable[str]) -> list[ListedImage]:
    names = {image_id: str(file.base_name) for image_id, file in image_files(folder).items()}
    return [ListedImage(source=source, folder=folder, image_id=image_id, image=names.get(image_id)) for image_id in ids]


def _repeated(source: VocFolder, times: Counter[str]) -> list[Defect]:
    """One defect for each line of the split file that says an id again."""
    file = f"{SPLITS}/{source.split}.txt"
    return [
        Defect(kind=Kind.DUPLICATE_ID, source=source.name, file=file, detail=f"{image_id}, {number} times")
        for image_id, number in times.items()
        for _ in range(number - 1)
    ]


def _chunks(images: Sequence[ListedImage], size: int) -> list[tuple[ListedImage, ...]]:
    return [tuple(images[start : start + size]) for start in range(0, len(images), size)]


def _kept(piece: Piece) -> Written | None:
    """The shard file of an attempt that was killed later, if it is whole."""
    if not (piece.folder.exists(f"{piece.name}.json") and piece.folder.exists(piece.name)):
        return None
    accounts = piece.folder.read_json(f"{piece.name}.json")
    if _sha256(piece.folder.read_bytes(piece.name)) != accounts["file"]["sha256"]:
        return None
    return Written(
        file=accounts["file"],
        objects_per_class=accounts["objects_per_class"],
        tally=Tally(**accounts["tally"]),
        defects=tuple(Defect(**defect | {"kind": Kind(defect["kind"])}) for defect in accounts["defects"]),
    )


def _refuse(stage: Shard, tally: Tally, defects: Sequence[Defect]) -> None:
    if not tally.images_written:
        first = "; ".join(str(defect) for defect in defects[:3])
        raise PipelineError(f"{stage.address}: none of {tally.images_listed} images can be used: {first}")
    real = [defect for defect in defects if defect.kind not in LEGAL]
    if stage.strict and real:
        first = "".join(f"\n  {defect}" for defect in real[:10])
        rest = f"\n  and {len(real) - 10} more" if len(real) > 10 else ""
        raise PipelineError(
            f"{stage.address}: {len(real)} defects, and the sharding is strict. Mend them or leave --strict out:"
            f"{first}{rest}"
        )


def _publish(
    ctx: Context, classes: tuple[str, ...], written: Sequence[Written], tally: Tally, defects: Sequence[Defect]
) -> None:
    """Move the files to the result and write the manifest and the reports."""
    files = [piece.file for piece in written if piece.file["rows"]]
    objects = {name: sum(piece.objects_per_class[name] for piece in written) for name in classes}
    ctx.out.write_json(MANIFEST, build_manifest(classes, files, objects))
    ctx.out.write_json("report.json", report(tally, defects))
    ctx.out.write_bytes("report.md", readable_report(tally, defects).encode())
    for file in files:
        ctx.work.filesystem.move(f"{ctx.work.path}/{file['name']}", f"{ctx.out.path}/{file['name']}")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
