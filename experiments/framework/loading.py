"""What a name that a user types means: an experiment, several of them, or a recipe."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from experiments.framework.experiment import Experiment
from experiments.framework.presets import Preset, as_it_is
from experiments.framework.runs import RUNS, PresetName, Run
from experiments.framework.setups import Setup
from pipeline.errors import PipelineError
from pipeline.planning.own_files import import_file
from pipeline.suggestion import suggestion
from stages.placement import Placement

OF_THE_PAPER = ("Table", "Figure", "Section")

_SSD300 = RUNS["ssd300-voc0712"]

RECIPES: dict[str, tuple[Run, PresetName]] = {name: (run, "full") for name, run in RUNS.items()} | {
    "ssd300-short-voc0712": (_SSD300.varied("ssd300-short-voc0712"), "short"),
    "ssd-tiny": (_SSD300.varied("ssd-tiny"), "tiny"),
    "ssd200-narrow": (_SSD300.varied("ssd200-narrow"), "narrow"),
}
"""The runs of the paper in full, and its SSD300 at the other presets."""


def named_setup(name: str, *, adjust: Callable[[Setup], Setup] = as_it_is, placement: Placement | None = None) -> Setup:
    """The setup of the recipe of that name. PipelineError with a near miss when there is none."""
    if name not in RECIPES:
        raise PipelineError(f"there is no recipe {name!r}; {suggestion(name, RECIPES)}")
    run, preset = RECIPES[name]
    return Preset(name=preset, adjust=adjust, placement=placement or Placement()).setup(run)


def members(name: str) -> tuple[str, ...]:
    """Experiments that a name means: those of `table1` to `table7`, `all` that answer the paper, or itself."""
    table = re.fullmatch(r"table(\d)", name)
    if not table and name != "all":
        return (name,)
    wanted = (f"Table {table[1]}",) if table else OF_THE_PAPER
    found = [load_experiment(each) for each in experiment_names()]
    return tuple(each.name for each in found if each.answers.startswith(wanted)) or (name,)


def experiment_names() -> list[str]:
    """Names of the experiments of `experiments/`."""
    files = Path(__file__).parents[1].glob("*.py")
    return sorted(path.stem.replace("_", "-") for path in files if _holds_experiment(path))


def _holds_experiment(path: Path) -> bool:
    assigned = (node.targets[0] for node in ast.parse(path.read_text()).body if isinstance(node, ast.Assign))
    return any(isinstance(target, ast.Name) and target.id == "experiment" for target in assigned)


def load_experiment(name: str) -> Experiment:
    """The experiment of that name, or of a user's file. PipelineError with a near miss when there is none."""
    if names_a_file(name):
        return _in_file(name)
    if name not in (names := experiment_names()):
        raise PipelineError(f"there is no experiment {name!r}; {suggestion(name, names)}")
    found = import_module(f"experiments.{name.replace('-', '_')}").experiment
    assert isinstance(found, Experiment)
    return found


def names_a_file(name: str) -> bool:
    """Whether an experiment is asked for by the path of its file, such as ./my_ablation.py."""
    return name.endswith(".py")


def _in_file(path: str) -> Experiment:
    found = getattr(import_file(path), "experiment", None)
    if not isinstance(found, Experiment):
        raise PipelineError(
            f"{path} has no `experiment = Experiment(...)`; `ssdpipe new experiment NAME` writes a file that has"
        )
    return found
