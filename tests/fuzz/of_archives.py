"""Archives of data sets, unpacked as `ssdpipe data get` does."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import shutil
import tarfile
import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from stages.datasets.fetch.archives import unpack
from tests.fuzz.target import Case


def zips(odd: Random, place: Path) -> Sequence[Case]:
    return [_case(place, _zipped(_files(odd), odd)) for _ in range(6)]


def tars(odd: Random, place: Path) -> Sequence[Case]:
    """Tar archives, half of them compressed."""
    packed = [_tarred(_files(odd), odd) for _ in range(6)]
    return [_case(place, content) for content in (*packed, *map(_squeezed, packed, (gzip, bz2, lzma)))]


def _squeezed(content: bytes, by: Any) -> bytes:
    return bytes(by.compress(content))


def _files(odd: Random) -> dict[str, bytes]:
    names = odd.sample(("VOC/a.xml", "VOC/b.xml", "list.txt", "deep/er/é.jpg", "deep/er/x" * 12, "empty"), 4)
    return {name: odd.randbytes(odd.choice((0, 10, 600))) for name in names}


def _zipped(files: dict[str, bytes], odd: Random) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, odd.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))
    return sink.getvalue()


def _tarred(files: dict[str, bytes], odd: Random) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=odd.choice((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT))) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "../.."
        archive.addfile(link)
    return sink.getvalue()


def _case(place: Path, content: bytes) -> Case:
    return Case(content=content, read=partial(_unpacked, place))


def _unpacked(place: Path, content: bytes) -> dict[str, bytes]:
    """Unpack into a new folder beside the archive, and return what lies there."""
    archive, folder = place / "archive", place / "data"
    archive.write_bytes(content)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        unpack(archive, folder, lambda done, total: None)
        beside = {str(path.relative_to(place)) for path in place.iterdir()} - {"archive", "data"}
        assert not beside, f"written beside the folder: {beside}"
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
