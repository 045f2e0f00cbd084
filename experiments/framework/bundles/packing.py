"""Gather what an experiment's table and verdicts rest on, as the files of a bundle.

Tested in tests/experiments/cli/bundles/test_bundle.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import distributions, version
from typing import Any, cast

import msgspec

from experiments.framework.bundles.index import (
    FORMAT,
    LOCK,
    TABLE,
    CellEntry,
    ClaimsEntry,
    Index,
    Looks,
    Member,
    ResultEntry,
    TableEntry,
    write_index,
)
from experiments.framework.bundles.results import ancestors, write_manifest, write_result
from experiments.framework.bundles.statements import quantities, stated
from experiments.framework.claims.claim import Claim, Recorded
from experiments.framework.comparison import StoredExperiment
from experiments.framework.runs import PresetName
from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.store.integrity import refuse_damaged
from pipeline.store.reading import RelativePath, Unreadable, checked
from pipeline.store.store import checksums
from stages.tables.content import Cell
from stages.tables.forms import write_table
from stages.tables.table import Table


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a bundle is of."""

    experiment: str
    options: Mapping[str, Any]
    """Options of the experiment as plain values, without places."""

    claims: Sequence[Claim]
    images: str
    typed: str
    own_data: bool
    looks: Looks | None
    """If the claims are judged as seeds are added."""


def gather(request: Request, stored: StoredExperiment, folder: Folder, *, weights: bool) -> Index:
    """Write all members but the verdicts; `seal` completes the bundle.

    Raises PipelineError when no number of the table is in the store, or a file of a result is damaged.
    """
    if not stored.has_numbers:
        raise PipelineError(
            f"no number of {request.experiment} is in the store {stored.store.folder.shown} for the current code and "
            "data: run it first, or give the options that it was run with"
        )
    found = {row.address: manifest for row, manifest in stored.results}
    cells = [_cell(cell, addresses) for cell, addresses in zip(stored.table.cells, stored.addresses(), strict=True)]
    wanted = {found[address].key for cell in cells for address in cell.results if address in found}
    recorded = {each.stage for claim in request.claims for each in quantities(claim) if isinstance(each, Recorded)}
    wanted |= {result.key for address, result in found.items() if address.partition("/seed")[0] in recorded}
    manifests = {manifest.key: manifest for manifest in found.values()}
    kept = {key: manifests[key] for key in sorted(ancestors(wanted, manifests))}
    near = wanted | {held["key"] for key in wanted for held in manifests[key].inputs.values()}
    names = {manifest.key: address for address, manifest in found.items()}
    results = {key: ResultEntry(names[key], _place(names[key], key)) for key in kept}
    for key, manifest in kept.items():
        source, target = stored.store.output(manifest), folder / results[key].folder
        refuse_damaged(manifest.address, source, manifest.files if key in near else ())
        write_result(manifest, source, target, numbers=key in near, weights=weights)
        write_manifest(manifest, target, folder)
    write_table(stored.table, stored.lines(), folder / TABLE)
    folder.write_bytes(LOCK, _lock().encode())
    return Index(
        format=FORMAT,
        ssdpipe=version("ssdpipe"),
        experiment=request.experiment,
        request=dict(request.options),
        table=_table(stored.table, cells),
        claims=ClaimsEntry(
            stated=[stated(claim) for claim in request.claims],
            images=request.images,
            options=request.typed,
            own_data=request.own_data,
            looks=request.looks,
        ),
        results=results,
        members={},
    )


def seal(index: Index, folder: Folder) -> Index:
    """Write the index with the checksums of all members; nothing may be added afterwards."""
    members = {file.path: Member(file.size, file.sha256) for file in checksums(folder)}
    whole = msgspec.structs.replace(index, members=members)
    write_index(whole, folder)
    return whole


def _place(address: str, key: str) -> str:
    """Folder of a result: named by its address, or by its key where that is no path."""
    try:
        return f"results/{checked(address, RelativePath)}"
    except Unreadable:
        return f"results/{key}"


def _cell(cell: Cell, addresses: Sequence[str]) -> CellEntry:
    return CellEntry(
        row=cell.row,
        column=cell.column,
        boxes=cell.boxes,
        published=cell.published,
        metric=cell.metric,
        unit=cell.unit,
        published_classes=list(cell.published_classes),
        results=list(addresses),
    )


def _table(table: Table, cells: list[CellEntry]) -> TableEntry:
    return TableEntry(
        title=table.title,
        preset=cast(PresetName, table.preset),
        row_title=table.row_title,
        column_title=table.column_title,
        departures=list(table.departures),
        published_title=table.published_title,
        metric=table.metric,
        replicates=table.replicates,
        cells=cells,
    )


def _lock() -> str:
    """The installed distributions with their versions, as pip reads them."""
    return "".join(sorted({f"{each.metadata['Name']}=={each.version}\n" for each in distributions()}, key=str.lower))
