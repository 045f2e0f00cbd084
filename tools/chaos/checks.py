"""What must hold in a store after kills; each breach is one line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pipeline.folder import Folder
from pipeline.store.lease import Leases
from tools.chaos.command import Command


def digests(store: Path) -> dict[str, tuple[str, str]]:
    """{key: address and digest of the result}. A digest covers every byte but those of files that hold times."""
    read = [json.loads(path.read_bytes()) for path in sorted((store / "keys").glob("*.json"))]
    return {manifest["key"]: (manifest["address"], manifest["digest"]) for manifest in read}


def replaced(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Results that were committed before and are computed again or gone; attempts by key."""
    return [f"{key} was committed and is recomputed" for key in before if after.get(key) != before[key]]


def breaches(command: Command, undisturbed: dict[str, tuple[str, str]]) -> Iterator[str]:
    """Everything that differs from an undisturbed run, once the command has ended with success."""
    found = digests(command.store)
    yield from (f"{undisturbed[key][0]} is missing" for key in undisturbed.keys() - found.keys())
    yield from (
        f"{address} differs"
        for key, (address, digest) in found.items()
        if undisturbed.get(key, ("", digest))[1] != digest
    )
    yield from (f"{found[key][0]} has another key" for key in found.keys() - undisturbed.keys())
    yield from (f"half-written file {path}" for path in command.store.rglob("*.part"))
    yield from (f"process {process.pid} is left" for process in command.processes())
    leases = Leases(Folder(str(command.store / "leases")))
    names = [path.stem for path in (command.store / "leases").glob("*.json")]
    yield from (f"lease of {key} is live" for key in names if leases.holder(key))
    yield from (f"work of {path.name} is left" for path in (command.store / "work").glob("*"))
    if not command.verifies():
        yield "`ssdpipe store verify` finds damage"
