"""What a run would do, and why. Keys are resolved as far as results exist; nothing is created."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pipeline.keys.fingerprint import SCHEMA
from pipeline.planning.changes import EARLIER_SCHEME, changes
from pipeline.planning.graph import Graph, Node
from pipeline.planning.resolver import Resolver
from pipeline.store.record import is_record, read_progress
from pipeline.store.store import Manifest, Store


@dataclass(frozen=True)
class PlanRow:
    address: str
    state: Literal["cached", "run", "resume", "after", "missing"]
    reason: str
    """Why the stage is to run, what it waits for or what it lacks; empty when cached."""

    key: str
    """Empty when an input is yet to be computed: the key is not known before."""

    seconds: float | None
    """Duration of this result, or of the newest one with the same address; None when never run."""

    node: Node
    manifest: Manifest | None
    """Manifest of a cached stage, else None."""


def plan(graph: Graph, store: Store, resolver: Resolver) -> list[PlanRow]:
    """One row for each node, inputs first. A node whose data set is absent is "missing" if the resolver allows it."""
    history, begun = _History(store), store.keys_with_work()
    rows: dict[str, PlanRow] = {}
    for node in graph.nodes.values():
        rows[node.id] = _row(node, rows, store, resolver, history, begun)
    return list(rows.values())


def why(graph: Graph, store: Store, resolver: Resolver, text: str) -> list[str]:
    """All differences between a stage and its newest result; `text` is an address or a key prefix."""
    rows = {row.node.id: row for row in plan(graph, store, resolver)}
    row = rows[graph.find(text, {node_id: row.key for node_id, row in rows.items()}).id]
    if row.manifest:
        return [f"{row.address} is cached under {row.key}"]
    inputs = {path: rows[above].manifest for path, above in row.node.inputs.items()}
    known = {path: manifest for path, manifest in inputs.items() if manifest}
    before = _History(store).newest(row.node)
    lines = [row.reason] if row.state in ("after", "resume") else []
    if before is None:
        return [*lines, f"no result of {row.address} in this store"]
    if before.ingredients.is_of_earlier_scheme:
        return [*lines, _earlier_scheme(before)]
    now = resolver.ingredients(row.node, known)
    waiting = {path: digest for path, digest in before.ingredients.inputs.items() if path in inputs.keys() - known}
    return lines + (changes(before, now, row.node, waiting) or ["nothing else changed"])


def _row(
    node: Node,
    rows: Mapping[str, PlanRow],
    store: Store,
    resolver: Resolver,
    history: _History,
    begun: Collection[str],
) -> PlanRow:
    if error := resolver.missing.get(node.id):
        return PlanRow(node.address, "missing", _first_line(error), "", history.seconds(node), node, None)
    inputs = {path: rows[above].manifest for path, above in node.inputs.items()}
    known = {path: manifest for path, manifest in inputs.items() if manifest}
    if len(known) < len(inputs):
        return PlanRow(node.address, "after", _waits_for(node, rows, history), "", history.seconds(node), node, None)
    ingredients = resolver.ingredients(node, known)
    key = ingredients.key
    manifest, gap = store.look(key)
    if manifest:
        return PlanRow(node.address, "cached", "", key, manifest.seconds, node, manifest)
    if stopped := key in begun and _stopped_at(store, key):
        return PlanRow(node.address, "resume", stopped, key, history.seconds(node), node, None)
    before = history.newest(node)
    reason = gap or (_short(changes(before, ingredients, node)) if before else "never run")
    return PlanRow(node.address, "run", reason, key, history.seconds(node), node, None)


def _waits_for(node: Node, rows: Mapping[str, PlanRow], history: _History) -> str:
    first, *rest = [rows[above].address for above in dict.fromkeys(node.inputs.values()) if not rows[above].manifest]
    before = history.newest(node)
    scheme = f", {EARLIER_SCHEME}" if before and before.ingredients.is_of_earlier_scheme else ""
    return f"after {first}{f' and {len(rest)} more' if rest else ''}{scheme}"


class _History:
    """Newest result of each address; the store is read once, on first use."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._newest: dict[str, Manifest] | None = None

    def newest(self, node: Node) -> Manifest | None:
        if self._newest is None:
            self._newest = {manifest.address: manifest for manifest in self._store.manifests()}
        names = (node.address, *node.aliases)
        return next((self._newest[name] for name in names if name in self._newest), None)

    def seconds(self, node: Node) -> float | None:
        newest = self.newest(node)
        return newest.seconds if newest else None


def _stopped_at(store: Store, key: str) -> str:
    """How far a killed attempt got, if it left a checkpoint to resume from, not only its record; else empty."""
    work = store.work(key)
    if all(is_record(name) for name in work.files()):
        return ""
    progress = read_progress(work)
    return f"step {progress.done:,.0f} of {progress.total:,.0f}" if progress else "interrupted"


def _earlier_scheme(before: Manifest) -> str:
    made = datetime.fromtimestamp(before.finished)
    return (
        f"{before.address} has a result of {made:%Y-%m-%d} with {EARLIER_SCHEME} ({before.ingredients.schema}; it is "
        f"{SCHEMA} now): keys of two schemes cannot be compared, so the stage runs again. The earlier result stays "
        "readable by `ssdpipe show`, `compare` and `report`"
    )


def _short(lines: list[str]) -> str:
    if not lines:
        return "its manifest is broken"
    return lines[0] + (f" (and {len(lines) - 1} more)" if len(lines) > 1 else "")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
