"""`ssdpipe data shard`: write a data set as Parquet shards, which any Parquet reader opens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from experiments.cli.requests import ShardRequest
from experiments.cli.shared.options import JsonOption, RunOptions
from pipeline.errors import PipelineError


def shard(
    request: ShardRequest,
    running: RunOptions,
    out: Annotated[str, typer.Option(metavar="PLACE", help="Folder or URI to copy the shards to.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Check a data set and write it as Parquet shards.

    After a failure or Ctrl-C, the same command resumes where it stopped.
    """
    from experiments.cli.requests.running import run_request
    from ssd_core.data.shards import MANIFEST

    if out:
        _refuse_other_files(out)
    graph, store, result = run_request(request, running)
    manifest = result.outcomes[graph.targets[0]].manifest
    assert manifest is not None, "its graph ran successfully"
    folder = store.output(manifest)
    shards, report = folder.read_json(MANIFEST), folder.read_json("report.json")
    place = _copied(folder.uri, out) if out else folder.place()
    if as_json:
        counts = {name: shards[name] for name in ("images", "boxes", "classes")}
        print(json.dumps({**counts, "defects": report["defects"], "shards": place}, indent=1))
        return
    print(f"{shards['images']:,} images, {shards['boxes']:,} boxes, {len(shards['classes'])} classes")
    for kind, number in report["defects"].items():
        print(f"{kind}: {number:,}")
    print(f"shards: {place}")


def _refuse_other_files(place: str) -> None:
    """Raise PipelineError for a place that holds anything but earlier shards."""
    from pipeline.folder import Folder
    from ssd_core.data.shards import MANIFEST
    from stages.datasets.source import entries

    target = Folder.at(place)
    if Path(place).is_file() or (not target.exists(MANIFEST) and entries(target)):
        raise PipelineError(f"{target.shown} is not empty and holds no shards: name another folder with --out")


def _copied(folder: str, place: str) -> str:
    """Copy all files of a folder to another place, and return its URI without secrets."""
    from pyarrow import fs

    from pipeline.folder import Folder

    source, target = Folder(folder), Folder.at(place)
    target.create()
    fs.copy_files(
        source.path, target.path, source_filesystem=source.filesystem, destination_filesystem=target.filesystem
    )
    return target.shown
