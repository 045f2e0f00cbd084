"""The published data sets: where each is expected below the data folder (SSDPIPE_DATA), and how to get it.

voc2007    VOCdevkit/VOC2007    Annotations, JPEGImages, ImageSets/Main
voc2012    VOCdevkit/VOC2012    the same
coco2017   coco2017             annotations/instances_<split>.json, <split>/ or images/<split>/

Tested in tests/stages/datasets/fetch/test_linking.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.errors import PipelineError


@dataclass(frozen=True, kw_only=True)
class PublishedData:
    """One data set as its authors publish it."""

    name: str
    place: str
    """Folder below the data folder."""

    size: str
    """Approximate size of all its archives, for display."""

    images: dict[str, int] = field(default_factory=dict)
    """Official number of images of each split."""


PUBLISHED = {
    data.name: data
    for data in (
        PublishedData(
            name="voc2007",
            place="VOCdevkit/VOC2007",
            size="0.9 GB",
            images={"train": 2501, "val": 2510, "trainval": 5011, "test": 4952},
        ),
        PublishedData(
            name="voc2012",
            place="VOCdevkit/VOC2012",
            size="2 GB",
            images={"train": 5717, "val": 5823, "trainval": 11540},
        ),
        PublishedData(name="coco2017", place="coco2017", size="20 GB", images={"train2017": 118287, "val2017": 5000}),
    )
}


def published(name: str) -> PublishedData:
    """Look up a data set by name. Raises PipelineError, which lists all names, when there is none."""
    if name not in PUBLISHED:
        raise PipelineError(f"there is no published data set {name!r}; the known ones are {', '.join(PUBLISHED)}")
    return PUBLISHED[name]


def remedy(name: str) -> str:
    """How to get the published data set `name`, as lines that follow an error message."""
    return (
        f"  to download it ({PUBLISHED[name].size}):  ssdpipe data download {name}\n"
        f"  to use a copy on disk:  ssdpipe data link {name} DIR\n"
        "  SSDPIPE_DATA names the folder that is searched (default ./data)"
    )
