"""Quick checks before anything heavy starts: resources that will never be available, a store without room."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.planning.admission import refuse_oversized, refuse_unplaceable
from pipeline.planning.graph import Node
from pipeline.stage import Resources
from pipeline.store.faults import write_probe

LEAST_FREE_BYTES = 2**30


def check_resources(nodes: Iterable[Node], total: Resources, cluster: tuple[Resources, ...] = ()) -> None:
    """Raise PipelineError when a stage requests more than will ever be available: it would wait forever.

    `cluster` lists the nodes that there will be, if they are known: the workers of a nested stage spread over them, but
    each must fit on one of them, and so must any other stage.
    """
    nodes = list(nodes)
    try:
        refuse_oversized(nodes, total)
        if cluster:
            refuse_unplaceable(nodes, cluster)
    except PipelineError as error:
        on_cpu = "" if total.gpus >= 1 else " (trains on CPU)"
        raise PipelineError(
            f"{error}\nHere --gpus {int(total.gpus)}{on_cpu} works; RAY_ADDRESS names another cluster."
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
        check_free(Path(store.path), least_free_bytes)


def check_free(folder: Path, least_bytes: int = LEAST_FREE_BYTES) -> None:
    """Raise PipelineError when the disk of the folder has less room than this."""
    free = shutil.disk_usage(folder).free
    if free < least_bytes:
        raise PipelineError(
            f"the disk of the store {folder} has {free / 2**30:.2f} GiB free, and {least_bytes / 2**30:.2f} GiB "
            "are needed: free some space or set SSDPIPE_STORE to a location on another disk."
        )
