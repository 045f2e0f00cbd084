"""`ssdpipe show`: one result in the store and its provenance.

Tested in tests/experiments/cli/test_show.py.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.cli.shared.options import JsonOption, StageArgument, StorePlace

if TYPE_CHECKING:
    from pipeline.store.store import Manifest, Store

MOST = 16
"""Settings and files that are printed; --all prints the others, too."""


def show(
    stage: StageArgument = "",
    *,
    place: StorePlace,
    everything: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Print every setting and file; by default a training's settings are those "
            "that differ from the nearest recipe.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the newest result of a stage.

    Prints its key, path, time, machine, versions, inputs, settings, numbers and files.
    """
    from experiments.cli.shared.printing import wrapped
    from pipeline.store.lookup import find_result
    from pipeline.store.store import Store
    from pipeline.terminal import visible

    store = Store.open(place.store)
    manifest = find_result(store, stage)
    if as_json:
        print(json.dumps(_document(manifest, store), indent=1))
        return
    print(visible(manifest.address))
    for name, text in _rows(manifest, store, None if everything else MOST):
        print(wrapped(visible(text), f"{name:10}  "))


def _document(manifest: Manifest, store: Store) -> dict[str, Any]:
    return {
        "address": manifest.address,
        "key": manifest.key,
        "path": store.output(manifest).place(),
        "finished": manifest.finished,
        "seconds": manifest.seconds,
        "provenance": manifest.provenance,
        "inputs": manifest.inputs,
        "settings": manifest.settings,
        "numbers": dict(_numbers(manifest, store)),
        "files": [asdict(file) for file in manifest.files],
    }


def _rows(manifest: Manifest, store: Store, most: int | None) -> list[tuple[str, str]]:
    """Names and texts; `most` settings and files, or all."""
    from experiments.cli.shared.printing import size
    from pipeline.display.board import clock
    from stages.training.elastic.certificate_text import certificate_lines, compilation_lines

    finished = datetime.fromtimestamp(manifest.finished).astimezone()
    scheme = ", of an earlier scheme" if manifest.ingredients.is_of_earlier_scheme else ""
    rows = [("key", manifest.key + scheme), ("path", store.output(manifest).place())]
    rows += [("finished", f"{finished:%Y-%m-%d %H:%M:%S %z} after {clock(manifest.seconds)}")]
    rows += [(name, text) for name, text in _conditions(manifest.provenance) if text]
    rows += [("workers", line) for line in certificate_lines(manifest.provenance)]
    rows += [("compiled", line) for line in compilation_lines(manifest.provenance)]
    rows += [("input", f"{path}: {each['address']} {each['key'][:12]}") for path, each in manifest.inputs.items()]
    rows += _settings(manifest, most)
    rows += [("number", f"{name} {value:.6g}") for name, value in _numbers(manifest, store)]
    files = [f"{file.path}, {size(file.size)}, sha256 {file.sha256[:12]}" for file in manifest.files]
    return rows + _cut("file", files, most)


def _settings(manifest: Manifest, most: int | None) -> list[tuple[str, str]]:
    """Every setting; without --all, of a training those that differ from the nearest recipe, of others the first."""
    from experiments.framework.nearest_recipe import is_training, nearest_recipe
    from pipeline.keys.settings import named_settings, shortened

    named = named_settings(manifest.settings)
    if most is None:
        return [("setting", f"{name} = {value}") for name, value in named.items()]
    if not is_training(manifest.settings):
        return _cut("setting", [f"{name} = {shortened(value)}" for name, value in named.items()], most)
    recipe, changes = nearest_recipe(manifest.settings)
    but = ", except" if changes else ""
    changed = (f"{each.name} = {shortened(each.after)}, not {shortened(each.before)}" for each in changes)
    return [("settings", f"as in the recipe {recipe}{but}"), *(("setting", line) for line in changed)]


def _cut(what: str, lines: list[str], most: int | None) -> list[tuple[str, str]]:
    """The first lines, and how many more there are."""
    rows = [(what, line) for line in lines[:most]]
    hidden = len(lines) - len(rows)
    return rows + ([(what, f"and {hidden:,} more, see --all")] if hidden else [])


def _conditions(provenance: dict[str, Any]) -> list[tuple[str, str]]:
    machine, git = provenance.get("machine", {}), provenance.get("git", {})
    gpus = ", ".join(machine.get("gpus", ())) or "no GPU"
    libraries = ", ".join(f"{name} {version}" for name, version in provenance.get("libraries", {}).items())
    host = f"{machine['host']}, {machine['processor']}, {machine['cpus']} CPUs, {gpus}" if machine else ""
    commit = git.get("commit", "") + (" with uncommitted changes" if git.get("dirty") else "")
    return [
        ("machine", host),
        ("commit", commit),
        ("libraries", libraries),
        ("invocation", provenance.get("run", "")),
    ]


def _numbers(manifest: Manifest, store: Store) -> list[tuple[str, float]]:
    from pipeline.store.record import read_summary

    return list(read_summary(store.output(manifest)).items())
