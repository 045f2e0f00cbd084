"""Verify a bundle: its members, then its numbers, computed again by the installed code in an empty store.

Tested in tests/experiments/cli/bundles/test_verify.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from experiments.framework.bundles.comparing import Compared
from experiments.framework.bundles.index import CLAIMS, INDEX, LOCK, SEAL, TABLE, Index
from experiments.framework.bundles.rebuilding import Bundle
from experiments.framework.bundles.results import ancestors
from experiments.framework.comparison import StoredExperiment
from pipeline.errors import PipelineError
from pipeline.execution.executor import InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.folder import Folder
from pipeline.keys.fingerprint import class_name
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.store.store import Store, checksums, output_digest
from stages.bundles.archived import RESULT
from stages.shards.shard import Shard
from stages.tables.forms import write_table

OUTPUTS = (f"{TABLE}/", CLAIMS, LOCK)
"""Members that nothing is computed from."""


def changed_members(folder: Folder, index: Index) -> list[str]:
    """Members that differ from their checksum in the index, or that only one of the two has."""
    found = {file.path: (file.size, file.sha256) for file in checksums(folder) if file.path not in (INDEX, SEAL)}
    listed = {name: (member.size, member.sha256) for name, member in index.members.items()}
    return sorted(name for name in found.keys() | listed.keys() if found.get(name) != listed.get(name))


@dataclass(frozen=True, kw_only=True)
class Recomputed:
    """What was computed again."""

    stored: StoredExperiment
    compared: Compared
    evaluations: int
    by_digest: tuple[str, ...]
    """Addresses of results that were compared with their checksums only."""


def refuse_inconsistent(bundle: Bundle) -> None:
    """Raise PipelineError for a file, a digest or an input that differs from what a result's manifest says."""
    for key, manifest in bundle.manifests.items():
        if output_digest(manifest.files) != manifest.digest:
            raise PipelineError(f"{manifest.address}: its files in the bundle do not have the digest {manifest.digest}")
        for path, held in manifest.inputs.items():
            above = bundle.manifests.get(held["key"])
            if manifest.ingredients.inputs.get(path) != held["digest"] or (above and above.digest != held["digest"]):
                raise PipelineError(f"{manifest.address}: its input {path} in the bundle is another result")
        if manifest.ingredients.stage == class_name(Shard):
            continue  # annotations only: the images of the original files are not in the bundle
        place = bundle.index.results[key].folder
        for file in manifest.files:
            member = bundle.index.members.get(f"{place}/{file.path}")
            if member and member.sha256 != file.sha256:
                raise PipelineError(f"{manifest.address}: its file {file.path} in the bundle is another result's")


def computed_again(bundle: Bundle, place: str) -> Recomputed:
    """Compute scores and table from detections and annotations in an empty store, and compare them."""
    store, again = Store.open(place), [key for key in bundle.manifests if bundle.is_recomputed(key)]
    recorded = [key for key in bundle.manifests if key not in again and bundle.has_numbers(key)]
    stages = [bundle.stage(key) for key in (*again, *recorded)]
    graph = Graph(stages)
    Scheduler(graph, store, InlineExecutor(), Resolver(graph), run_id="verify").run().raise_for_failures()
    stored = StoredExperiment.of((bundle.table(), *stages), store)
    compared, computed = Compared(), {row.address: store.output(manifest) for row, manifest in stored.results}
    for key in again:
        compared.add(bundle.address(key), bundle.place(key), computed[bundle.address(key)])
    fresh = Folder(f"{place}/{TABLE}")
    write_table(stored.table, stored.lines(), fresh)
    compared.add(TABLE, bundle.folder / TABLE, fresh)
    return Recomputed(
        stored=stored, compared=compared, evaluations=len(again), by_digest=tuple(map(bundle.address, recorded))
    )


def is_output(bundle: Bundle, name: str) -> bool:
    """Whether nothing is computed from a member, so that its numbers can be compared with those computed again."""
    scores = tuple(f"{bundle.index.results[key].folder}/" for key in bundle.manifests if bundle.is_recomputed(key))
    return name.startswith((*OUTPUTS, *scores)) and not name.endswith(f"/{RESULT}")


def rests_on(bundle: Bundle, name: str) -> list[str]:
    """Rows of the table, with their seeds, whose numbers rest on a member."""
    keys = {entry.address: key for key, entry in bundle.index.results.items()}
    changed = {key for key in keys.values() if name.startswith(f"{bundle.index.results[key].folder}/")}
    return [
        f"{cell.label} (seed {seed})"
        for cell in bundle.index.table.cells
        for seed, address in enumerate(cell.results)
        if address in keys and changed & ancestors({keys[address]}, bundle.manifests)
    ]
