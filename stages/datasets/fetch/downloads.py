"""Download a published data set: its archives are fetched, verified and unpacked below the data folder.

Archives lie in `<data folder>/archives` until they are unpacked; a small record then replaces each of them, so that
running the command again does nothing. URLs and MD5 of VOC are torchvision's; COCO publishes no checksums.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stages.datasets.fetch.archives import unpack
from stages.datasets.fetch.http_file import fetch
from stages.datasets.published import published

VOC_KEYS = {"voc2007": ("2007", "2007-test"), "voc2012": ("2012",)}
"""Entries of torchvision's table. The test images of VOC2012 come from its evaluation server, after a login."""

COCO = "http://images.cocodataset.org"
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


def archives_of(name: str) -> tuple[Archive, ...]:
    """The archives of a published data set. Raises PipelineError for an unknown name."""
    data = published(name)
    if name == "coco2017":
        return tuple(Archive(url=f"{COCO}/{path}", folder=data.place) for path in COCO_ARCHIVES)
    from torchvision.datasets.voc import DATASET_YEAR_DICT

    entries = [DATASET_YEAR_DICT[key] for key in VOC_KEYS[name]]
    return tuple(Archive(url=entry["url"], md5=entry["md5"]) for entry in entries)


def download(archive: Archive, to: Path, progress: Progress) -> bool:
    """Download one archive and unpack it below `to`; return False when that was done before."""
    target = to / "archives" / archive.name
    record = target.with_name(f"{target.name}.json")
    if record.exists():
        return False
    if not target.exists():
        step = f"download {archive.name}"
        fetch(archive.url, target, md5=archive.md5, progress=lambda done, total: progress(step, done, total))
    size = target.stat().st_size
    files = unpack(target, to / archive.folder, lambda done, total: progress(f"unpack {archive.name}", done, total))
    record.write_text(
        json.dumps({"url": archive.url, "bytes": size, "md5": archive.md5, "files": files}) + "\n", encoding="utf-8"
    )
    target.unlink()
    return True
