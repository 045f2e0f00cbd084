"""The table of an experiment as far as its evaluations are in the store."""

from __future__ import annotations

from pipeline.graph import Graph
from pipeline.plan import PlanRow, plan
from pipeline.resolver import Resolver
from pipeline.store import Store
from stages.table import TABLE_TEXT, Table


def current_table(table: Table, store: Store) -> str:
    """The printed table; cells without a result of the present code and data say that they were not run."""
    graph = Graph([table])
    rows = {row.node.id: row for row in plan(graph, store, Resolver(graph))}
    last = rows[graph.targets[0]]
    if last.manifest:
        return store.output(last.manifest).read_bytes(TABLE_TEXT).decode()
    return _partial(table, last, rows, store)


def _partial(table: Table, last: PlanRow, rows: dict[str, PlanRow], store: Store) -> str:
    from stages.table_text import as_text
    from stages.tabulate import tabulate

    node = last.node
    held = {id(stage): rows[node.inputs[path]].manifest for path, stage in node.description.inputs.items()}
    there = {name: store.output(manifest) for name, manifest in held.items() if manifest}
    results = [[there[id(stage)] for stage in cell.results if id(stage) in there] for cell in table.cells]
    return as_text(table, tabulate(table, results))
