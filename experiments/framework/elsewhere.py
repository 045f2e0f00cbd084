"""What other implementations report for the rows of a table, at presets whose levels compare with theirs.

Tested in tests/experiments/framework/test_elsewhere.py.
"""

from __future__ import annotations

from experiments.published.elsewhere import REPORTED, Reported
from stages.tables.content import Cell
from stages.tables.layout import LEVELS_COMPARE
from stages.tables.table import Table
from stages.training.train import Train


def reported_for(table: Table, cell: Cell) -> tuple[Reported, ...]:
    """Numbers of others for one cell, at presets with the paper's detector."""
    if table.preset not in LEVELS_COMPARE or not cell.results:
        return ()
    training = cell.results[0].tracked_by()
    if not isinstance(training, Train):
        return ()
    run = training.variant.partition("/")[0]
    return REPORTED.get((run, cell.metric or table.metric), ())


def elsewhere_lines(table: Table) -> list[str]:
    """One line for each row that others report, in percent, with what differs."""
    found = [(cell, numbers) for cell in table.cells if (numbers := reported_for(table, cell))]
    return [f"{', '.join(filter(None, (cell.row, cell.column)))}: {_listed(numbers)}" for cell, numbers in found]


def _listed(numbers: tuple[Reported, ...]) -> str:
    return ", ".join(f"{100 * each.value:.1f} {each.who}{f' ({each.note})' if each.note else ''}" for each in numbers)
