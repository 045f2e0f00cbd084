"""`ssdpipe data shard`: a data set as Parquet shards, which any reader of Parquet opens."""

from __future__ import annotations

from typing import Annotated

import typer

from experiments.cli.requests import ShardRequest
from experiments.cli.shared.options import Running


def shard(
    request: ShardRequest,
    running: Running,
    out: Annotated[str, typer.Option(metavar="PLACE", help="Folder or URI to copy them to.")] = "",
) -> None:
    """Check a data set and write it as Parquet shards; the same command goes on where it stopped."""
    from experiments.cli.requests.running import bring_to_end
    from ssd_core.data.shards import MANIFEST

    graph, store, result = bring_to_end(request, running)
    manifest = result.outcomes[graph.targets[0]].manifest
    assert manifest is not None, "the run of its graph ended well"
    folder = store.output(manifest)
    found, report = folder.read_json(MANIFEST), folder.read_json("report.json")
    print(f"{found['images']:,} images, {found['boxes']:,} boxes, {len(found['classes'])} classes")
    for kind, number in report["defects"].items():
        print(f"{kind}: {number:,}")
    print(f"shards: {_copied(folder.uri, out) if out else folder.path}")


def _copied(folder: str, place: str) -> str:
    """Copy all files of a folder to another place."""
    from pyarrow import fs

    from pipeline.folder import Folder

    source, target = Folder(folder), Folder.at(place)
    target.filesystem.create_dir(target.path, recursive=True)
    fs.copy_files(
        source.path, target.path, source_filesystem=source.filesystem, destination_filesystem=target.filesystem
    )
    return target.uri
