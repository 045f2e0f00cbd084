"""Annotated images on which an exported file is checked: of a data set, or drawn.

Tested in tests/experiments/cli/export/test_command.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from tempfile import TemporaryDirectory

from pipeline.driver.in_process import run_in_process
from pipeline.errors import PipelineError
from ssd_core.data.shards import Row
from stages.datasets.find import TESTING, TRAINING
from stages.drawn.draw import Draw
from stages.shards.album import open_album


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Annotated images, and the classes that their labels count."""

    title: str
    rows: Sequence[Row]
    classes: Sequence[str]


def read_sample(place: str, split: str, count: int) -> Sample:
    """The first images of a split that can be read, or drawn ones where no place is named.

    Without a split it is one to test on, if there is one.
    """
    if not place:
        return _drawn(count)
    album = open_album(place, split, preferred=(*TESTING, *TRAINING))
    rows = tuple(islice(filter(None, map(album.read, range(album.length))), count))
    if not rows:
        raise PipelineError(f"none of the {album.length} images of {album.title} can be read: see ssdpipe data check")
    return Sample(title=f"{len(rows)} images of {album.title}", rows=rows, classes=album.classes)


def _drawn(count: int) -> Sample:
    with TemporaryDirectory() as folder:
        drawn = read_sample(run_in_process(Draw(train=0, test=count), folder).path, "test", count)
    return Sample(title=f"{count} drawn images", rows=drawn.rows, classes=drawn.classes)
