"""The table of an experiment as far as its evaluations are in the store.

Tested in tests/experiments/framework/test_reporting.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.planning.graph import Graph
from pipeline.planning.plan import PlanRow, plan
from pipeline.planning.resolver import Resolver
from pipeline.store.store import Store
from stages.tables.table import Table

if TYPE_CHECKING:
    from stages.tables.tabulate import Line


def current_table(table: Table, store: Store) -> str:
    """The printed table; cells without a result of the present code and data say that they were not run."""
    from stages.tables.text import as_text

    graph = Graph([table])
    return as_text(table, table_lines(table, plan(graph, store, Resolver(graph)), store))


def table_lines(table: Table, rows: Sequence[PlanRow], store: Store) -> list[Line]:
    """Those of the table's result, or else of what evaluations there are; `rows` plan a graph that holds the table."""
    from stages.tables.tabulate import read_lines, tabulate

    last = next(row for row in rows if row.node.stage == table)
    if last.manifest:
        return read_lines(store.output(last.manifest))
    manifests = {row.node.id: row.manifest for row in rows}
    node = last.node
    held = {id(stage): manifests[node.inputs[path]] for path, stage in node.description.inputs.items()}
    there = {name: store.output(manifest) for name, manifest in held.items() if manifest}
    results = [[there.get(id(stage)) for stage in cell.results] for cell in table.cells]
    return tabulate(table, results)
