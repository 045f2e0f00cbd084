"""Names of the experiments and recipes, without loading any of them.

Tested in tests/experiments/cli/test_listing.py.
"""

from __future__ import annotations

import ast
from pathlib import Path

import experiments
from experiments.framework.runs import RUNS, PresetName, Run

TABLES = {f"table{number}": f"Table {number}" for number in range(1, 8)}
ALIASES = (*TABLES, "all")
"""Names that stand for several experiments."""

_SSD300 = RUNS["ssd300-voc0712"]

RECIPES: dict[str, tuple[Run, PresetName]] = {name: (run, "full") for name, run in RUNS.items()} | {
    "ssd300-short-voc0712": (_SSD300.varied("ssd300-short-voc0712"), "short"),
    "ssd-tiny": (_SSD300.varied("ssd-tiny"), "tiny"),
    "ssd200-narrow": (_SSD300.varied("ssd200-narrow"), "narrow"),
}
"""The paper's runs at the preset `full`, and its SSD300 at the other presets."""


def experiment_names() -> list[str]:
    """Names of the experiments in `experiments/`."""
    files = (path for folder in experiments.__path__ for path in Path(folder).glob("*.py"))
    return sorted(path.stem.replace("_", "-") for path in files if _holds_experiment(path))


def _holds_experiment(path: Path) -> bool:
    assigned = (node.targets[0] for node in ast.parse(path.read_bytes()).body if isinstance(node, ast.Assign))
    return any(isinstance(target, ast.Name) and target.id == "experiment" for target in assigned)
