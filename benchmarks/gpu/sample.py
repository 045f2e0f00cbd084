"""A sample of VOC2007 that travels to another machine: real images as one shard file of at most 20 MiB.

    PYTHONPATH=.:benchmarks python benchmarks/gpu/sample.py --data $SSDPIPE_TEST_DATA/voc2007/VOC2007 --out .gpu/sample

Takes images of the trainval split at even distances, with their bytes unchanged.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from gpu.shards import write_shards

from ssd_core.data.shards import Row
from stages.shards.album import Album, open_album

STRIDE = 5
"""Distance between the images, so that the sample comes from the whole data set."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder in VOC layout")
    parser.add_argument("--split", default="trainval")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--mib", type=int, default=19, help="most MiB of images; annotations take some 0.1 more")
    options = parser.parse_args()
    album = open_album(str(options.data), options.split)
    write_shards(chosen(album, options.mib << 20), album.classes, options.out)
    size = sum(file.stat().st_size for file in options.out.iterdir())
    print(f"{options.out}: {size / 2**20:.1f} MiB")


def chosen(album: Album, most_bytes: int) -> Iterator[Row]:
    """Yield readable images with objects, until the next one would exceed `most_bytes`."""
    size = 0
    for number in range(0, album.length, STRIDE):
        row = album.read(number)
        if row is None or not len(row.labels):
            continue
        size += len(row.image)
        if size > most_bytes:
            return
        yield row


if __name__ == "__main__":
    main()
