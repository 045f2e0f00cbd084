"""Names that the shell completes: experiments, recipes, presets, and stages of the store.

A completion is one short process for each press of the Tab key: nothing heavy is imported, and the store is read as
plain files. Stages of a store that is not on disk are not completed.

Tested in tests/experiments/cli/test_front.py.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import get_args

import typer

DEFAULT_STORE = "./ssdpipe-store"

MOST_RESULTS = 2_000
"""Number of results whose addresses are read, which takes about 0.1 s."""

DAMAGED = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""Errors of files that are not what a store holds; a completion then lacks their names."""


def complete_experiment(incomplete: str) -> list[str]:
    """Experiments and the names that stand for several."""
    from experiments.framework.names import ALIASES, experiment_names

    return _starting(incomplete, [*experiment_names(), *ALIASES])


def complete_recipe(incomplete: str) -> list[str]:
    from experiments.framework.names import RECIPES

    return _starting(incomplete, RECIPES)


def complete_preset(incomplete: str) -> list[str]:
    from experiments.framework.runs import PresetName

    return _starting(incomplete, get_args(PresetName))


def complete_stage(ctx: typer.Context, incomplete: str) -> list[str]:
    """Addresses of the results in the store, and of the stages of its newest run."""
    store = ctx.params.get("store") or os.environ.get("SSDPIPE_STORE") or DEFAULT_STORE
    folder = Path(str(store).removeprefix("file://")).expanduser()
    return _starting(incomplete, sorted({*_results(folder), *_newest_run(folder)}))


def complete_training(ctx: typer.Context, incomplete: str) -> list[str]:
    """Addresses of the trainings in the store."""
    return [address for address in complete_stage(ctx, incomplete) if address.startswith("train/")]


def _starting(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _results(store: Path) -> Iterator[str]:
    for file in islice(store.glob("keys/*.json"), MOST_RESULTS):
        with suppress(*DAMAGED):
            yield _address(json.loads(file.read_bytes()))


def _newest_run(store: Path) -> Iterator[str]:
    for file in sorted(store.glob("runs/*/events.jsonl"))[-1:]:
        with suppress(*DAMAGED), file.open(encoding="utf-8") as lines:
            for event in map(json.loads, lines):
                if event["kind"] == "planned":
                    yield _address(event)
                elif event["kind"] != "run_started":
                    return


def _address(recorded: dict[str, str]) -> str:
    """The address, if it may be printed: a store may come from somebody else. Raises ValueError otherwise."""
    address = recorded["address"]
    if not address.isprintable():
        raise ValueError(address)
    return address
