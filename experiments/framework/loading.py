"""Resolve a name that the user types: to an experiment, several experiments, or a recipe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from experiments.framework.claims.claim import Claim
from experiments.framework.experiment import PAPER_PREFIXES, Experiment
from experiments.framework.names import ALIASES, RECIPES, TABLES, experiment_names
from experiments.framework.presets import Preset, no_adjustment
from experiments.framework.setups import Setup
from pipeline.errors import PipelineError
from pipeline.planning.own_files import import_file
from pipeline.suggestion import suggestion
from stages.placement import Placement


def named_setup(
    name: str, *, adjust: Callable[[Setup], Setup] = no_adjustment, placement: Placement | None = None
) -> Setup:
    """The setup of a named recipe. Raises PipelineError with the nearest names when there is none."""
    if name not in RECIPES:
        raise PipelineError(f"there is no recipe {name!r}; {suggestion(name, RECIPES)}; see `ssdpipe recipe list`")
    run, preset = RECIPES[name]
    return Preset(name=preset, adjust=adjust, placement=placement or Placement()).setup(run)


def members(name: str) -> tuple[str, ...]:
    """Experiments behind a name: those of `table1` to `table7`, for `all` the paper's, else the name itself."""
    if name not in ALIASES:
        return (name,)
    prefixes = TABLES.get(name, PAPER_PREFIXES)
    known = [load_experiment(each) for each in experiment_names()]
    return tuple(each.name for each in known if each.answers.startswith(prefixes))


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


def claims_of(experiment: Experiment) -> tuple[Claim, ...]:
    """The paper's claims that the experiment tests, and its own."""
    return (*paper_claims(experiment.name), *experiment.claims)


def paper_claims(experiment: str) -> tuple[Claim, ...]:
    """The paper's claims that the experiment of a name tests."""
    claims: tuple[Claim, ...] = import_module("experiments.claims").CLAIMS.get(experiment, ())
    return claims


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
