"""Names for several experiments: `table1` to `table7`, and `all` that answer the paper; shared trainings are one."""

from __future__ import annotations

import re

from experiments.framework.experiment import experiment_names, load_experiment

OF_THE_PAPER = ("Table", "Figure", "Section")


def members(name: str) -> tuple[str, ...]:
    """Experiments that a name means: those of a table or of the whole paper, or itself."""
    table = re.fullmatch(r"table(\d)", name)
    if not table and name != "all":
        return (name,)
    wanted = (f"Table {table[1]}",) if table else OF_THE_PAPER
    found = [load_experiment(each) for each in experiment_names()]
    return tuple(each.name for each in found if each.answers.startswith(wanted)) or (name,)
