"""Resolve a name that the user types: to an experiment, several experiments, or a recipe."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

import experiments
from experiments.framework.experiment import PAPER_PREFIXES, Experiment
from experiments.framework.presets import Preset, no_adjustment
from experiments.framework.runs import RUNS, PresetName, Run
from experiments.framework.setups import Setup
from pipeline.errors import PipelineError
from pipeline.planning.own_files import import_file
from pipeline.suggestion import suggestion
from stages.placement import Placement

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
    if name not in ALIASES:
        return (name,)
    prefixes = TABLES.get(name, PAPER_PREFIXES)
    known = [load_experiment(each) for each in experiment_names()]
    return tuple(each.name for each in known if each.answers.startswith(prefixes))


def experiment_names() -> list[str]:
    """Names of the experiments in `experiments/`."""
    files = (path for folder in experiments.__path__ for path in Path(folder).glob("*.py"))
    return sorted(path.stem.replace("_", "-") for path in files if _holds_experiment(path))


def _holds_experiment(path: Path) -> bool:
    assigned = (node.targets[0] for node in ast.parse(path.read_bytes()).body if isinstance(node, ast.Assign))
    return any(isinstance(target, ast.Name) and target.id == "experiment" for target in assigned)


def load_experiment(name: str) -> Experiment:
    """The experiment of that name or file. Raises PipelineError with the nearest names when there is none."""
    if names_a_file(name):
        return _in_file(name)
    if name not in (names := experiment_names()):
        raise PipelineError(f"there is no experiment {name!r}{_meant_instead(name, names)}")
    module = name.replace("-", "_")
    experiment = import_module(f"experiments.{module}").experiment
    assert isinstance(experiment, Experiment)
    if experiment.name != name:
        raise PipelineError(
            f"experiments/{module}.py holds the experiment {experiment.name!r}: it needs the name of its file, {name!r}"
        )
    return experiment


def _meant_instead(name: str, names: Sequence[str]) -> str:
    """The file in the current folder or the recipe of that name, or else the nearest names."""
    file = f"{name.replace('-', '_')}.py"
    if "/" not in name and Path(file).is_file():
        return f"; for the file in the current folder, type its path: ./{file}"
    if name in RECIPES:
        return f", but a recipe of that name: `ssdpipe train {name}`"
    return f"; {suggestion(name, [*names, *ALIASES])}; see `ssdpipe list`"


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
