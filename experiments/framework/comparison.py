"""An experiment's results in the store: its graph with the committed stages, and its table as far as it is computed.

Tested in tests/experiments/framework/test_reporting.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.keys.fingerprint import digest
from pipeline.planning.graph import Graph
from pipeline.planning.plan import PlanRow, plan
from pipeline.planning.resolver import Resolver
from pipeline.store.lookup import lineage
from pipeline.store.store import Manifest, Store
from stages.tables.table import Table

if TYPE_CHECKING:
    from pipeline.folder import Folder
    from pipeline.stage import Stage
    from stages.tables.content import Line


@dataclass(frozen=True, kw_only=True)
class StoredExperiment:
    """An experiment's graph matched against the store; the table is the first of its targets."""

    table: Table
    rows: tuple[PlanRow, ...]
    store: Store
    note: str = ""
    """A caveat for the reader where the results are not those of the current code and data."""

    @classmethod
    def of(cls, targets: Sequence[Stage], store: Store, *, missing_allowed: bool = False) -> StoredExperiment:
        """Raises PipelineError for a missing data set, unless `missing_allowed`: then it has no results."""
        table, graph = targets[0], Graph(targets)
        assert isinstance(table, Table)
        resolver = Resolver(graph, missing_allowed=missing_allowed)
        return cls(table=table, rows=tuple(plan(graph, store, resolver)), store=store)

    def with_earlier(self, targets: Iterable[Manifest]) -> StoredExperiment:
        """This graph with results under an earlier scheme's keys: the given ones and all that they depend on."""
        manifests = {address: result for target in targets for address, result in lineage(self.store, target).items()}
        rows = tuple(replace(row, manifest=manifests.get(row.address)) for row in self.rows)
        when = datetime.fromtimestamp(max(result.finished for result in manifests.values()))
        return replace(
            self,
            rows=rows,
            note=f"These are results of {when:%Y-%m-%d}, with keys of an earlier scheme: they stay readable, and "
            "`ssdpipe run` recomputes them.",
        )

    @property
    def results(self) -> list[tuple[PlanRow, Manifest]]:
        return [(row, row.manifest) for row in self.rows if row.manifest]

    @property
    def has_numbers(self) -> bool:
        """Whether any cell of the table has a result."""
        inputs = set(self._table_row.node.inputs.values())
        return any(row.node.id in inputs for row, _ in self.results)

    @property
    def awaits_numbers(self) -> bool:
        """Whether any cell of the table is for a number of ours, beside those quoted from the paper."""
        return any(cell.results for cell in self.table.cells)

    @property
    def digest(self) -> str:
        """A hash that changes whenever a result appears or disappears."""
        return digest([[row.node.id, row.manifest.digest if row.manifest else ""] for row in self.rows])

    def lines(self) -> list[Line]:
        """Lines of the committed table, or else tabulated from the evaluations that exist."""
        from stages.tables.forms import read_lines
        from stages.tables.tabulate import tabulate

        table_row = self._table_row
        if table_row.manifest:
            return read_lines(self.store.output(table_row.manifest))
        return tabulate(self.table, self.outputs())

    def outputs(self) -> list[list[Folder | None]]:
        """The results behind each cell of the table, by seed; None for one that does not exist."""
        table_row = self._table_row
        manifests = {row.node.id: row.manifest for row in self.rows}
        inputs = table_row.node.description.inputs
        committed = {id(stage): manifests[table_row.node.inputs[path]] for path, stage in inputs.items()}
        outputs = {name: self.store.output(manifest) for name, manifest in committed.items() if manifest}
        table = table_row.node.stage  # the graph's own, equal to `self.table`: its inputs are these objects
        assert isinstance(table, Table)
        return [[outputs.get(id(stage)) for stage in cell.results] for cell in table.cells]

    def addresses(self) -> list[list[str]]:
        """The addresses of the stages behind each cell of the table, by seed."""
        inputs = self._table_row.node.inputs
        names = {row.node.id: row.address for row in self.rows}
        return [
            [names[inputs[f"cells[{place}].results[{seed}]"]] for seed in range(len(cell.results))]
            for place, cell in enumerate(self.table.cells)
        ]

    def text(self) -> str:
        """The table as text; cells without a result for the current code and data read "not run"."""
        from stages.tables.text import as_text

        return as_text(self.table, self.lines()) + (f"\n{self.note}\n" if self.note else "")

    @property
    def _table_row(self) -> PlanRow:
        return next(row for row in self.rows if row.node.stage == self.table)
