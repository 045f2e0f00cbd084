"""Quick checks before anything heavy starts: resources that will never be available, a store without room."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.planning.admission import refuse_oversized
from pipeline.planning.graph import Node
from pipeline.stage import Resources
from pipeline.store.faults import write_probe

LEAST_FREE_BYTES = 2**30


def check_resources(nodes: Iterable[Node], total: Resources, largest_node: Resources | None = None) -> None:
    """Raise PipelineError when a stage requests more than will ever be available: it would wait forever.

    A nested stage spreads its workers over all nodes; any other stage must fit on the `largest_node`.
    """
    for node in nodes:
        room = total if node.stage.resources.nested or largest_node is None else largest_node
        try:
            refuse_oversized([node], room)
        except PipelineError as error:
            on_cpu = "" if room.gpus >= 1 else " (trains on CPU)"
            raise PipelineError(
                f"{error}\nHere --gpus {int(room.gpus)}{on_cpu} works; RAY_ADDRESS names another cluster."
            ) from None


def check_store(store: Folder, least_free_bytes: int = LEAST_FREE_BYTES) -> None:
    """Raise PipelineError when the store cannot be written or its disk is nearly full."""
    try:
        write_probe(store)
    except OSError as error:
        raise PipelineError(
            f"the store {store.uri} cannot be written: {error}\nSet SSDPIPE_STORE to a writable location."
        ) from error
    if store.is_local:
        _check_free(Path(store.path), least_free_bytes)


def _check_free(folder: Path, least_bytes: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < least_bytes:
        raise PipelineError(
            f"the disk of the store {folder} has {free / 2**30:.2f} GiB free, and {least_bytes / 2**30:.2f} GiB "
            "are needed: free some space or set SSDPIPE_STORE to a location on another disk."
        )
