"""The work of the shard stage: read and check each image, write shard files in parallel, and account for everything.

Each shard file is one task; which images it holds depends on the lists alone. Files are written to `ctx.work` with
their accounts beside them, so that a killed sharding resumes after the last complete file.

Tested in tests/stages/shards/test_shard.py.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.stage import Context
from ssd_core.data.shards import MANIFEST, Row, build_manifest, write_rows
from stages.datasets.defects import Defect, Kind, Tally, is_legal, is_refused, readable_report, report
from stages.datasets.source import ListedImage, Source
from stages.shards.class_list import ClassList
from stages.shards.image_list import DIGESTS
from stages.shards.image_row import read_image
from stages.shards.plausibility import Sums, suspicions, total

NAMED = 10
"""Number of defects that an error lists."""


@dataclass(frozen=True, kw_only=True)
class Sharding:
    """Settings of one sharding."""

    """Address of the stage, for error messages."""

    classes: ClassList
    images_per_shard: int
    strict: bool


@dataclass(frozen=True, kw_only=True)
class Piece:
    """The task that writes one shard file."""

    name: str
    images: tuple[ListedImage, ...]
    classes: tuple[str, ...]
    ignored: tuple[str, ...]
    folder: Folder
    """Where the file is written."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """One finished shard file and its accounts."""

    file: dict[str, Any]
    """Its entry in the manifest: name, rows, row_groups, sha256."""

    per_class: dict[str, dict[str, int]]
    """{class: {"objects", "images", "difficult", "crowd"}}."""

    tally: Tally
    defects: tuple[Defect, ...]
    digests: tuple[str, ...]
    """Lines of `DIGESTS`."""

    sums: Sums


def write_shards(sharding: Sharding, sources: Sequence[tuple[Source, Folder]], ctx: Context) -> None:
    """Write the shards of all images of these sources, each paired with its folder."""
    images, defects, lists = _listed(sources)
    classes = sharding.classes.of(lists.counts)
    pieces = [
        Piece(
            name=f"images-{number:05d}.parquet",
            images=chunk,
            classes=classes,
            ignored=sharding.classes.ignored,
            folder=ctx.work,
        )
        for number, chunk in enumerate(_chunks(images, sharding.images_per_shard))
    ]
    written = ctx.map(write_piece, pieces)
    defects += [defect for piece in written for defect in piece.defects]
    defects += suspicions(
        total([piece.sums for piece in written]),
        lists.counts,
        source="+".join(dict.fromkeys(source.name for source, _ in sources)),
        place=", ".join(f"{source.name}/{source.split}" for source, _ in sources),
    )
    tally = sum((piece.tally for piece in written), lists.tally)
    _refuse(sharding, tally, defects)
    _publish(ctx, classes, written, tally, defects)


def write_piece(piece: Piece) -> Written:
    """Write one shard file, unless a complete one exists."""
    if kept := _kept(piece):
        return kept
    readings = [read_image(image, piece.classes, piece.ignored) for image in piece.images]
    rows = [reading.row for reading in readings if reading.row]
    sink = io.BytesIO()
    row_groups = write_rows(sink, rows)
    content = sink.getvalue()
    written = Written(
        file={"name": piece.name, "rows": len(rows), "row_groups": row_groups, "sha256": _sha256(content)},
        per_class={name: _count(label, rows) for label, name in enumerate(piece.classes)},
        tally=sum((reading.tally for reading in readings), Tally()),
        defects=tuple(defect for reading in readings for defect in reading.defects),
        sums=total([reading.sums for reading in readings]),
        digests=tuple(f"{len(row.image)} {_sha256(row.image)}" for row in rows),
    )
    piece.folder.replace(piece.name, content)
    piece.folder.replace(f"{piece.name}.json", json.dumps(asdict(written)).encode())
    return written


def _count(label: int, rows: Sequence[Row]) -> dict[str, int]:
    """Counts of one class over these rows."""
    of_class = [(row, row.labels == label) for row in rows if label in row.labels]
    return {
        "objects": sum(int(found.sum()) for _, found in of_class),
        "images": len(of_class),
        "difficult": sum(int((found & row.difficult).sum()) for row, found in of_class),
        "crowd": sum(int((found & row.crowd).sum()) for row, found in of_class),
    }


@dataclass(frozen=True, kw_only=True)
class _Lists:
    """Counts that follow from the lists alone."""

    counts: Counter[str]
    """Number of objects of each class, by its name in the shards."""

    tally: Tally
    """Counts beyond the listed images: repeated entries, and annotations of images that are not listed."""


def _listed(sources: Iterable[tuple[Source, Folder]]) -> tuple[list[ListedImage], list[Defect], _Lists]:
    """All images in order, each once per source; the defects and counts of the lists."""
    images: list[ListedImage] = []
    defects: list[Defect] = []
    counts, tally = Counter[str](), Tally()
    for source, folder in sources:
        found = source.listing(folder)
        images += found.images
        defects += found.defects
        counts += source.renamed(found.objects_per_class)
        tally += Tally(
            images_listed=found.repeated,
            images_left_out=found.repeated,
            boxes_annotated=found.orphans,
            boxes_of_left_out_images=found.orphans,
        )
    return images, defects, _Lists(counts=counts, tally=tally)


def _chunks(images: Sequence[ListedImage], size: int) -> list[tuple[ListedImage, ...]]:
    return [tuple(images[start : start + size]) for start in range(0, len(images), size)]


def _kept(piece: Piece) -> Written | None:
    """The accounts of a shard file that a killed attempt completed; None when it is absent or damaged."""
    if not (piece.folder.exists(f"{piece.name}.json") and piece.folder.exists(piece.name)):
        return None
    accounts = piece.folder.read_json(f"{piece.name}.json")
    if _sha256(piece.folder.read_bytes(piece.name)) != accounts["file"]["sha256"]:
        return None
    return Written(
        file=accounts["file"],
        per_class=accounts["per_class"],
        tally=Tally(**accounts["tally"]),
        defects=tuple(Defect(**defect | {"kind": Kind(defect["kind"])}) for defect in accounts["defects"]),
        digests=tuple(accounts["digests"]),
        sums=Sums(**accounts["sums"] | {"sizes": tuple(map(tuple, accounts["sums"]["sizes"]))}),
    )


def _refuse(sharding: Sharding, tally: Tally, defects: Sequence[Defect]) -> None:
    if not tally.images_written:
        first = "; ".join(str(defect) for defect in defects[:3])
        raise PipelineError(f"none of {tally.images_listed} images can be used: {first}")
    if refused := [defect for defect in defects if is_refused(defect.kind)]:
        raise PipelineError(f"{len(refused)} defects must be fixed:{_first(refused)}")
    real = [defect for defect in defects if not is_legal(defect.kind)]
    if sharding.strict and real:
        counted = "1 defect" if len(real) == 1 else f"{len(real)} defects"
        raise PipelineError(f"{counted} that a strict sharding refuses. Fix, or omit --strict:{_first(real)}")


def _first(defects: Sequence[Defect]) -> str:
    lines = [f"\n  {defect}" for defect in defects[:NAMED]]
    return "".join(lines) + (f"\n  and {len(defects) - NAMED} more" if len(defects) > NAMED else "")


def _publish(
    ctx: Context, classes: tuple[str, ...], written: Sequence[Written], tally: Tally, defects: Sequence[Defect]
) -> None:
    """Move the files to the result and write the manifest and the reports."""
    files = [piece.file for piece in written if piece.file["rows"]]
    per_class = {name: _sum(piece.per_class[name] for piece in written) for name in classes}
    ctx.out.write_json(MANIFEST, build_manifest(classes, files, per_class))
    ctx.out.write_bytes(DIGESTS, "".join(f"{line}\n" for piece in written for line in piece.digests).encode())
    ctx.out.write_json("report.json", report(tally, defects))
    ctx.out.write_bytes("report.md", readable_report(tally, defects).encode())
    for file in files:
        ctx.work.move(file["name"], ctx.out)


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total = Counter[str]()
    for some in counts:
        total.update(some)
    return dict(total)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
