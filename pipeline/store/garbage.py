"""Leftovers in a store: what no result, no running driver and no later run needs.

Only what is unreachable is ever deleted, and each leftover is checked again just before: a driver that starts or
commits meanwhile loses nothing, and a collection killed at any point leaves the store whole.

Tested in tests/experiments/cli/store/test_gc.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from pipeline.folder import Folder
from pipeline.store.events import fold, read_events
from pipeline.store.faults import PROBE
from pipeline.store.lease import Leases
from pipeline.store.store import Store
from pipeline.store.unfollowed import Found, delete_at, files_of, names_in

DAY_SECONDS = 86_400.0
PART_SECONDS = 3600.0
"""Age from which a file that is still being replaced, or a probe, counts as left by a killed process or a late node."""


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """A file or folder that can be deleted."""

    what: str
    """Kind of leftover, for display."""

    path: str
    """Relative to the store."""

    size: int
    """Bytes of its files."""

    needed: Callable[[], bool]
    """Whether something has come to need it; asked again just before it is deleted."""


def leftovers(store: Store, *, is_wanted: Callable[[str], bool], run_days: float) -> Iterator[Leftover]:
    """All leftovers of a store.

    `is_wanted` says whether a later run can resume the work of a key; runs older than `run_days` are leftovers unless
    they are the newest of their request or still going on.
    """
    leases = Leases(store.folder / "leases")
    yield from _attempts(store, leases)
    yield from _work(store, leases, is_wanted)
    yield from _runs(store, run_days)
    yield from _parts(store)
    yield from _leases(store, leases)


def collect(store: Store, found: Leftover) -> int:
    """Delete a leftover unless it has come to be needed; return the bytes that this freed."""
    if found.needed():
        return 0
    delete_at(store.folder, found.path)
    return found.size


def _attempts(store: Store, leases: Leases) -> Iterator[Leftover]:
    def needed(key: str, attempt: str) -> bool:
        manifest = store.find(key)
        if leases.holder(key) is not None or store.defect(key):  # which attempt a broken manifest means is unknown
            return True
        return manifest is not None and manifest.attempt == attempt

    for key in names_in(store.folder, "objects"):
        for attempt in names_in(store.folder, f"objects/{key}"):
            if not needed(key, attempt):
                path = f"objects/{key}/{attempt}"
                yield _leftover("attempt of a killed run", store, path, partial(needed, key, attempt))


def _work(store: Store, leases: Leases, is_wanted: Callable[[str], bool]) -> Iterator[Leftover]:
    def needed(key: str) -> bool:
        return leases.holder(key) is not None or (store.find(key) is None and is_wanted(key))

    for key in names_in(store.folder, "work"):
        if not needed(key):
            yield _leftover("work that no run would resume", store, f"work/{key}", partial(needed, key))


def _runs(store: Store, run_days: float) -> Iterator[Leftover]:
    newest: set[str] = set()
    for run_id in reversed(names_in(store.folder, "runs")):  # ids sort by time
        events = read_events(store.run(run_id))
        request = repr(events[0].data.get("request")) if events else ""
        is_newest = request not in newest
        newest.add(request)
        state = fold(events)
        is_old = time.time() - state.last > run_days * DAY_SECONDS
        if is_old and not (events and is_newest) and (state.status != "running" or state.is_dead):
            yield _leftover("record of an old run", store, f"runs/{run_id}", lambda: False)


def _parts(store: Store) -> Iterator[Leftover]:
    for found in files_of(store.folder):
        if _age(found) <= PART_SECONDS:
            continue
        if found.path.startswith(PROBE):
            yield Leftover(what="probe of a late node", path=found.path, size=found.size, needed=lambda: False)
        elif found.path.endswith(".part") and not found.path.startswith("objects/"):
            yield Leftover(what="half-written file", path=found.path, size=found.size, needed=lambda: False)


def _leases(store: Store, leases: Leases) -> Iterator[Leftover]:
    for name in names_in(store.folder, "leases"):
        key = name.removesuffix(".json")
        if name.endswith(".json") and leases.holder(key) is None:
            yield _leftover("lease of a dead driver", store, f"leases/{name}", partial(_is_held, leases, key))


def _is_held(leases: Leases, key: str) -> bool:
    return leases.holder(key) is not None


def _leftover(what: str, store: Store, path: str, needed: Callable[[], bool]) -> Leftover:
    return Leftover(what=what, path=path, size=size_of(store.folder, path), needed=needed)


def size_of(folder: Folder, path: str) -> int:
    """Bytes of a file, or of all files below a folder."""
    return sum(found.size for found in files_of(folder, path))


def _age(found: Found) -> float:
    return time.time() - found.changed
