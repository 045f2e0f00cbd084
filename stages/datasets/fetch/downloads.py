"""Download a published data set: its archives are fetched, verified and unpacked below the data folder.

Archives lie in `<data folder>/archives` until they are unpacked; a small record then replaces each of them, so that
running the command again does nothing. URLs and MD5 of VOC are torchvision's; COCO publishes no checksums. The SHA-256
of the first download stays in `<archive>.sha256`, and whatever is downloaded later must have it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import PipelineError
from stages.datasets.fetch.archives import unpack
from stages.datasets.fetch.http_file import fetch
from stages.datasets.published import published

VOC_KEYS = {"voc2007": ("2007", "2007-test"), "voc2012": ("2012",)}
"""Entries of torchvision's table. The test images of VOC2012 come from its evaluation server, after a login."""

COCO = "https://s3.amazonaws.com/images.cocodataset.org"
"""The bucket that is also http://images.cocodataset.org: under its own name the host has no valid certificate."""

COCO_ARCHIVES = ("annotations/annotations_trainval2017.zip", "zips/val2017.zip", "zips/train2017.zip")

Progress = Callable[[str, int, int | None], None]
"""Called with the step ("download ..." counts bytes, "unpack ..." files), the amount done, and the total if known."""


@dataclass(frozen=True, kw_only=True)
class Archive:
    """One file of a data set."""

    url: str
    folder: str = ""
    """Where its members go, relative to the data folder."""

    md5: str | None = None
    """The published checksum; None where none is published."""

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]


@dataclass(frozen=True, kw_only=True)
class Downloaded:
    """An archive that has been unpacked."""

    size: int
    """In bytes."""

    sha256: str
    """Empty for an archive that an earlier version downloaded."""

    is_new: bool
    """Whether it was unpacked now, not by an earlier command."""


def archives_of(name: str) -> tuple[Archive, ...]:
    """The archives of a published data set. Raises PipelineError for an unknown name."""
    data = published(name)
    if name == "coco2017":
        return tuple(Archive(url=f"{COCO}/{path}", folder=data.place) for path in COCO_ARCHIVES)
    from torchvision.datasets.voc import DATASET_YEAR_DICT

    entries = [DATASET_YEAR_DICT[key] for key in VOC_KEYS[name]]
    return tuple(Archive(url=entry["url"], md5=entry["md5"]) for entry in entries)


def download(archive: Archive, to: Path, progress: Progress) -> Downloaded:
    """Download one archive and unpack it below `to`, unless that was done before.

    Raises PipelineError when the archive is not the one that was downloaded first.
    """
    target = to / "archives" / archive.name
    record = target.with_name(f"{target.name}.json")
    if record.exists():
        return _recorded(record)
    if not target.exists():
        step = f"download {archive.name}"
        fetch(archive.url, target, md5=archive.md5, progress=lambda done, total: progress(step, done, total))
    size, sha256 = target.stat().st_size, _sha256(target)
    _pin(archive.url, target, sha256)
    files = unpack(target, to / archive.folder, lambda done, total: progress(f"unpack {archive.name}", done, total))
    described = {"url": archive.url, "bytes": size, "sha256": sha256, "md5": archive.md5, "files": files}
    record.write_text(json.dumps(described) + "\n", encoding="utf-8")
    target.unlink()
    return Downloaded(size=size, sha256=sha256, is_new=True)


def _recorded(record: Path) -> Downloaded:
    try:
        described = json.loads(record.read_text(encoding="utf-8"))
        return Downloaded(size=int(described["bytes"]), sha256=str(described.get("sha256", "")), is_new=False)
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise PipelineError(f"{record} is damaged: delete it, and run the command again to download anew") from error


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _pin(url: str, target: Path, sha256: str) -> None:
    """Record the checksum of the first download in the form of `sha256sum`, and refuse a later one that differs."""
    pin = target.with_name(f"{target.name}.sha256")
    if not pin.exists():
        pin.write_text(f"{sha256}  {target.name}\n", encoding="utf-8")
    elif (first := pin.read_text(encoding="utf-8").partition(" ")[0]) != sha256:
        raise PipelineError(
            f"{url}: {target} has {target.stat().st_size:,} bytes and the SHA-256 {sha256}, but the first download had "
            f"{first}. Nothing was unpacked: delete {target} to download it again, or {pin} if the publisher has "
            "replaced the file"
        )
