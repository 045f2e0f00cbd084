"""Failures of the place where a store lies, as one message: a full disk, read-only, removed, out of reach.

An error of any library, also from another process, counts if its errno says so or if the store cannot be written now;
everything else, such as a missing image of a data set, is left as it is.
"""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import suppress

from pipeline.errors import PipelineError, StoreFault
from pipeline.folder import Folder

FULL = (errno.ENOSPC, errno.EDQUOT)
OF_WRITING = (*FULL, errno.EROFS)
"""Errors that only writing causes."""

REMEDY = {
    errno.ENOSPC: "Free some space (`ssdpipe du`, `ssdpipe gc`)",
    errno.EDQUOT: "Free some of your quota (`ssdpipe du`, `ssdpipe gc`)",
    errno.EROFS: "Make the file system writable",
}
KEPT = "Committed results and checkpoints are kept."


def as_store_fault(error: BaseException, store: Folder) -> StoreFault | None:
    """The error as a fault of the store that caused it; None when the store is not the cause."""
    for cause in _causes(error):
        if isinstance(cause, StoreFault):
            return cause
        if isinstance(cause, OSError) and (fault := _fault(cause, store)):
            return fault
    return None


def refuse_if_gone(store: Folder) -> None:
    """Raise StoreFault when a store that was prepared exists no more: whatever is written would start another one."""
    if store.is_local and not store.exists("format.json"):  # a place on an object store is not unmounted
        raise _gone(store)


PROBE = ".probe-"
"""Beginning of the names of files that are written into a store only to see whether that works."""


def as_place_error(error: OSError) -> PipelineError | None:
    """The message on a full or read-only disk or a bucket out of reach, wherever it is; None for any other error."""
    if _is_of_s3(error):
        return PipelineError(
            f"S3 is out of reach: {error}\nCheck the name of the bucket, AWS_ENDPOINT_URL, the credentials and the "
            "network, and repeat the command"
        )
    if error.errno not in OF_WRITING:
        return None
    return PipelineError(f"{error}\n{REMEDY[error.errno]}, and repeat the command")


def write_probe(store: Folder) -> None:
    """Write and delete a small file. Raises OSError."""
    probe = f"{PROBE}{uuid.uuid4().hex}"
    try:
        store.write_bytes(probe, b"ssdpipe")
    finally:
        with suppress(OSError):
            store.delete(probe)


def _is_of_s3(error: OSError) -> bool:
    return not error.errno and ("AWS Error" in str(error) or "S3 error" in str(error))


def _fault(error: OSError, store: Folder) -> StoreFault | None:
    if not store.is_local and _is_of_s3(error):
        return StoreFault(
            f"the store {store.shown} is out of reach: {error}\n{KEPT} Check the network and the credentials, and "
            "repeat the command"
        )
    if error.errno in OF_WRITING:
        return unwritable(error, store)
    if not store.is_local:
        return None
    if not store.exists():
        return _gone(store)
    try:
        write_probe(store)
    except OSError as found:
        return unwritable(found, store)
    return None


def _gone(store: Folder) -> StoreFault:
    return StoreFault(
        f"the store {store.shown} is gone: its folder was removed, moved or unmounted during the run.\n"
        "Restore or mount the folder, and repeat the command: what it holds is reused"
    )


def unwritable(error: OSError, store: Folder) -> StoreFault:
    """The message on a store that cannot be written because of an error."""
    number = error.errno or 0
    reason = os.strerror(number) if number else str(error)
    remedy = REMEDY.get(number, "Make the store writable")
    return StoreFault(
        f"the store {store.shown} cannot be written: {reason}{_room(store)}.\n{KEPT} {remedy}, and repeat the command"
    )


def _room(store: Folder) -> str:
    """Free space of a local disk, in parentheses."""
    if not store.is_local:
        return ""
    place = store.path
    while not os.path.exists(place):  # noqa: PTH110 - a path of the store
        place = os.path.dirname(place)  # noqa: PTH120
    usage = shutil.disk_usage(place)
    return f" ({usage.free:,} of {usage.total:,} bytes are free)"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it wraps: causes, groups, and errors of Ray's tasks and training workers."""
    waiting, known = [error], set[int]()
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in known:
            continue
        known.add(id(one))
        yield one
        failures = getattr(one, "worker_failures", {})
        waiting += [one.__cause__, one.__context__, getattr(one, "cause", None), *getattr(one, "exceptions", ())]
        waiting += failures.values() if isinstance(failures, dict) else []
