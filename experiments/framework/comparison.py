"""An experiment beside the store: what there is of its stages, and its table as far as its evaluations are there.

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
    from pipeline.stage import Stage
    from stages.tables.content import Line


@dataclass(frozen=True, kw_only=True)
class Held:
    """A graph of an experiment beside the store: the table comes first of its targets."""

    table: Table
    rows: tuple[PlanRow, ...]
    store: Store
    note: str = ""
    """What a reader must know of results that are not those of the present code and data."""

    @classmethod
    def of(cls, targets: Sequence[Stage], store: Store) -> Held:
        table, graph = targets[0], Graph(targets)
        assert isinstance(table, Table)
        return cls(table=table, rows=tuple(plan(graph, store, Resolver(graph))), store=store)

    def with_earlier(self, made: Iterable[Manifest]) -> Held:
        """This graph with results by keys of an earlier scheme: those named, and all that they were made from."""
        there = {address: result for target in made for address, result in lineage(self.store, target).items()}
        rows = tuple(replace(row, manifest=there.get(row.address)) for row in self.rows)
        when = datetime.fromtimestamp(max(result.finished for result in there.values()))
        return replace(
            self,
            rows=rows,
            note=f"These are results of {when:%Y-%m-%d}, made with keys of an earlier scheme: they stay readable, and "
            "`ssdpipe run` makes them again.",
        )

    @property
    def made(self) -> list[tuple[PlanRow, Manifest]]:
        return [(row, row.manifest) for row in self.rows if row.manifest]

    @property
    def has_numbers(self) -> bool:
        """Whether any cell of the table has a result."""
        inputs = set(self._table_row.node.inputs.values())
        return any(row.node.id in inputs for row, _ in self.made)

    @property
    def digest(self) -> str:
        """Changes with every result that there is or is no more."""
        return digest([[row.node.id, row.manifest.digest if row.manifest else ""] for row in self.rows])

    def lines(self) -> list[Line]:
        """Lines of the table's result, or else of the evaluations that exist."""
        from stages.tables.forms import read_lines
        from stages.tables.tabulate import tabulate

        last = self._table_row
        if last.manifest:
            return read_lines(self.store.output(last.manifest))
        manifests = {row.node.id: row.manifest for row in self.rows}
        inputs = last.node.description.inputs
        held = {id(stage): manifests[last.node.inputs[path]] for path, stage in inputs.items()}
        there = {name: self.store.output(manifest) for name, manifest in held.items() if manifest}
        return tabulate(self.table, [[there.get(id(stage)) for stage in cell.results] for cell in self.table.cells])

    def text(self) -> str:
        """The printed table; cells without a result of the present code and data say that they were not run."""
        from stages.tables.text import as_text

        return as_text(self.table, self.lines()) + (f"\n{self.note}\n" if self.note else "")

    @property
    def _table_row(self) -> PlanRow:
        return next(row for row in self.rows if row.node.stage == self.table)
