"""`ssdpipe data download` and `ssdpipe data link`: obtain a published data set.

Tested in tests/experiments/cli/data/test_app.py.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

NameArgument = Annotated[str, typer.Argument(metavar="voc2007|voc2012|coco2017", help="The published data set.")]
ToOption = Annotated[Path, typer.Option(envvar="SSDPIPE_DATA", metavar="DIR", help="The data folder.")]


def download(name: NameArgument, to: ToOption = Path("data")) -> None:
    """Download, verify and unpack a published data set.

    The same command resumes an interrupted download.
    """
    from stages.datasets.fetch.downloads import archives_of
    from stages.datasets.fetch.downloads import download as fetch
    from stages.datasets.published import published

    archives = archives_of(name)
    unverified = [archive.name for archive in archives if archive.md5 is None]
    if unverified:
        print(
            f"no checksum is published for {', '.join(unverified)}: their lengths and the CRCs in them are verified, "
            "and later downloads are compared with the first"
        )
    for archive in archives:
        there = fetch(archive, to, Progress())
        checksum = f", SHA-256 {there.sha256}" if there.sha256 else ""
        done = "downloaded and unpacked" if there.is_new else "already present"
        print(f"{archive.name}: {done}, {there.size:,} bytes{checksum}")
    print(f"{name} is in {to / published(name).place}")


def link(
    name: NameArgument,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the data set is on disk.")],
    to: ToOption = Path("data"),
) -> None:
    """Link a published data set that is already on disk.

    Checks that DIR holds the data set, and creates a link to it in the data folder.
    """
    from stages.datasets.fetch.linking import images_listed
    from stages.datasets.fetch.linking import link as make_link
    from stages.datasets.published import published

    place = make_link(name, folder, to)
    print(f"{place} -> {place.resolve()}")
    official = published(name).images
    for split, number in images_listed(name, place).items():
        short = "" if number == official[split] else f" (the published split has {official[split]:,})"
        print(f"  {split}: {number:,} images{short}")


class Progress:
    """Progress with speed and time left: a line updated in place on a terminal, otherwise a line every 15 seconds."""

    def __init__(self) -> None:
        self._step = ""
        self._began = self._reported = 0.0
        self._first = 0
        self._interval = 0.5 if sys.stderr.isatty() else 15.0

    def __call__(self, step: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if step != self._step:
            self._step, self._began, self._first, self._reported = step, now, done, now
        elif now - self._reported >= self._interval or done == total:
            self._reported = now
            end = "\r" if sys.stderr.isatty() and done != total else "\n"
            text = _line(step, done, total, (done - self._first) / max(now - self._began, 1e-9))
            sys.stderr.write(f"{text:<79}{end}" if sys.stderr.isatty() else f"{text}{end}")
            sys.stderr.flush()


def _line(step: str, done: int, total: int | None, per_second: float) -> str:
    """ "download VOCtest_06-Nov-2007.tar: 100.0 MB of 451.0 MB, 11.0 MB/s, 0:32 left" """
    from experiments.cli.shared.printing import size
    from pipeline.display.board import clock

    amount, unit = (size, "") if step.startswith("download") else ("{:,}".format, " files")
    text = f"{step}: {amount(done)}" + (f" of {amount(total)}" if total else "") + unit
    if step.startswith("download"):
        text += f", {size(int(per_second))}/s"
    left = f", {clock((total - done) / per_second)} left" if total and per_second and done < total else ""
    return text + left
