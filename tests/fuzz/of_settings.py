"""Settings that are typed as `-s name=value`, applied to a recipe as `ssdpipe train` does."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from experiments.cli.requests import TrainRequest
from experiments.cli.shared.encoding import name_not_utf8
from experiments.framework.loading import named_setup
from experiments.framework.names import RECIPES
from pipeline.errors import PipelineError
from pipeline.keys.fingerprint import describe, digest
from ssd_core.spec.departures import leaves
from stages.placement import Placement
from tests.fuzz.target import Case

RECIPES_USED, SETTINGS = 4, 6


def settings(odd: Random, place: Path) -> Sequence[Case]:
    """A few settings of some recipes, with the values that they have."""
    scored = [name for name in RECIPES if _can_be_set(name, "")]  # some are scored by a server only
    return [_case(name, odd) for name in odd.sample(scored, min(len(scored), RECIPES_USED))]


def _case(name: str, odd: Random) -> Case:
    known = [(path, value) for path, value in leaves(named_setup(name).recipe) if "$" not in path]
    lines = [f"{path}={value}" for path, value in odd.sample(known, SETTINGS) if _can_be_set(name, f"{path}={value}")]
    return Case(content="\n".join(lines).encode(), read=partial(_applied, name))


def _can_be_set(name: str, line: str) -> bool:
    try:
        _applied(name, line.encode())
    except PipelineError:
        return False
    return True


def _applied(name: str, content: bytes) -> Any:
    """Digest of the settings of each stage of the graph; bytes that are not UTF-8 come as Python passes them on."""
    lines = content.decode(errors="surrogateescape").replace("\0", "").split("\n")
    waiting = [*TrainRequest(recipe=name, settings=[line for line in lines if line]).targets(Placement())]
    found = {}
    try:
        while waiting:
            stage = waiting.pop()
            described = describe(stage)
            found[stage.address] = digest(described.config)
            waiting += described.inputs.values()
    except UnicodeEncodeError as error:  # as experiments/cli/main.py does
        raise name_not_utf8(error) or error from error
    return found


def spaced(content: bytes, odd: Random) -> bytes:
    """Blanks around names and values."""
    lines = content.split(b"\n")
    return b"\n".join(odd.choice((line, line.replace(b"=", b" = ", 1), b" " + line + b" ")) for line in lines)
