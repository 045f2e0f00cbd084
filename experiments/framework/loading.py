"""Resolve a name that the user types: to an experiment, several experiments, or a recipe."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from experiments.framework.experiment import Experiment
from experiments.framework.presets import Preset, no_adjustment
from experiments.framework.runs import RUNS, PresetName, Run
from experiments.framework.setups import Setup
from pipeline.errors import PipelineError
from pipeline.planning.own_files import import_file
from pipeline.suggestion import suggestion
from stages.placement import Placement

PAPER_PREFIXES = ("Table", "Figure", "Section")

_SSD300 = RUNS["ssd300-voc0712"]

RECIPES: dict[str, tuple[Run, PresetName]] = {name: (run, "full") for name, run in RUNS.items()} | {
    "ssd300-short-voc0712": (_SSD300.varied("ssd300-short-voc0712"), "short"),
    "ssd-tiny": (_SSD300.varied("ssd-tiny"), "tiny"),
    "ssd200-narrow": (_SSD300.varied("ssd200-narrow"), "narrow"),
}
"""The paper's runs at the preset `full`, and its SSD300 at the other presets."""


def named_setup(
    name: str, *, adjust: Callable[[Setup], Setup] = no_adjustment, placement: Placement | None = None
) -> Setup:
    """The setup of a named recipe. Raises PipelineError with the nearest names when there is none."""
    if name not in RECIPES:
        raise PipelineError(f"there is no recipe {name!r}; {suggestion(name, RECIPES)}")
    run, preset = RECIPES[name]
    return Preset(name=preset, adjust=adjust, placement=placement or Placement()).setup(run)


def members(name: str) -> tuple[str, ...]:
    """Experiments behind a name: those of `table1` to `table7`, for `all` the paper's, else the name itself."""
    table = re.fullmatch(r"table(\d)", name)
    if not table and name != "all":
        return (name,)
    prefixes = (f"Table {table[1]}",) if table else PAPER_PREFIXES
    experiments = [load_experiment(each) for each in experiment_names()]
    return tuple(each.name for each in experiments if each.answers.startswith(prefixes)) or (name,)


def experiment_names() -> list[str]:
    """Names of the experiments in `experiments/`."""
    files = Path(__file__).parents[1].glob("*.py")
    return sorted(path.stem.replace("_", "-") for path in files if _holds_experiment(path))


def _holds_experiment(path: Path) -> bool:
    assigned = (node.targets[0] for node in ast.parse(path.read_text()).body if isinstance(node, ast.Assign))
    return any(isinstance(target, ast.Name) and target.id == "experiment" for target in assigned)


def load_experiment(name: str) -> Experiment:
    """The experiment of that name or file. Raises PipelineError with the nearest names when there is none."""
    if names_a_file(name):
        return _in_file(name)
    if name not in (names := experiment_names()):
        raise PipelineError(f"there is no experiment {name!r}; {suggestion(name, names)}")
    experiment = import_module(f"experiments.{name.replace('-', '_')}").experiment
    assert isinstance(experiment, Experiment)
    return experiment


def names_a_file(name: str) -> bool:
    """Whether the name is the path of a file, such as ./my_ablation.py."""
    return name.endswith(".py")


def _in_file(path: str) -> Experiment:
    experiment = getattr(import_file(path), "experiment", None)
    if not isinstance(experiment, Experiment):
        raise PipelineError(
            f"{path} has no `experiment = Experiment(...)`; `ssdpipe new experiment NAME` writes a template"
        )
    return experiment
