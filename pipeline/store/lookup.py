"""Finds results in a store by what the user types: the address of a stage or the start of a key.

Tested in tests/experiments/cli/test_show.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.errors import PipelineError
from pipeline.store.events import Event, read_events
from pipeline.store.runs import run_ids
from pipeline.store.store import Manifest, Store
from pipeline.suggestion import suggestion, with_seed


def find_result(store: Store, text: str) -> Manifest:
    """The newest result of an address, or the only one whose key starts with `text`; raises PipelineError otherwise.

    The address may lack its seed where there is only one.
    """
    manifests = store.manifests()
    address = with_seed(text, (manifest.address for manifest in manifests))
    for manifest in reversed(manifests):
        if manifest.address == address:
            return manifest
    matching = [manifest for manifest in manifests if text and manifest.key.startswith(text)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        listed = ", ".join(f"{manifest.address} ({manifest.key[:12]})" for manifest in matching[:8])
        raise PipelineError(f"{text!r} is the start of {len(matching)} keys: {listed}")
    known = {manifest.address for manifest in manifests}
    if not text:
        raise PipelineError(f"no stage is named, and in the store {store.folder.uri} {suggestion(text, known)}")
    raise PipelineError(f"no result of a stage {text!r} in the store {store.folder.uri}; {suggestion(text, known)}")


def lineage(store: Store, manifest: Manifest) -> dict[str, Manifest]:
    """{address: result} for a result and all its ancestors that the store still has, by the keys in their manifests."""
    found, waiting = {manifest.address: manifest}, [manifest]
    while waiting:
        keys = {held["key"] for held in waiting.pop().inputs.values()}
        above = [result for key in sorted(keys) if (result := store.find(key)) and result.address not in found]
        found |= {result.address: result for result in above}
        waiting += above
    return found


def recorded_requests(store: Store) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """The request that each run's graph was built from, and the addresses of its stages; newest run first."""
    for events in _events_of_runs(store):
        started = [event.data["request"] for event in events if event.kind == "run_started" and "request" in event.data]
        if started:
            yield started[0], [event.address for event in events if event.kind == "planned"]


def started_keys(store: Store) -> dict[str, str]:
    """Address of the stage of each key that a recorded run has started."""
    started = (event for events in _events_of_runs(store) for event in events if event.kind == "started")
    return {event.key: event.address for event in started}


def _events_of_runs(store: Store) -> Iterator[list[Event]]:
    """Events of each run, newest run first."""
    return (read_events(store.run(name)) for name in run_ids(store))
