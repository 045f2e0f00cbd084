"""`ssdpipe show`: one result in the store and its provenance."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from experiments.cli.shared.options import JsonOption, StageArgument, StorePlace

if TYPE_CHECKING:
    from pipeline.store.store import Manifest, Store


def show(
    stage: StageArgument = "",
    *,
    place: StorePlace,
    as_json: JsonOption = False,
) -> None:
    """Show the newest result of a stage.

    Prints its key, path, time, machine, versions, inputs, fields, numbers and files.
    """
    from experiments.cli.shared.printing import columns
    from pipeline.store.lookup import find_result
    from pipeline.store.store import Store
    from pipeline.terminal import visible

    store = Store.open(place.store)
    manifest = find_result(store, stage)
    if as_json:
        print(json.dumps(_document(manifest, store), indent=1))
        return
    print(visible(manifest.address))
    print(columns(_rows(manifest, store)))


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


def _rows(manifest: Manifest, store: Store) -> list[tuple[str, str]]:
    from experiments.cli.shared.printing import size
    from pipeline.display.board import clock
    from pipeline.keys.settings import named_settings
    from stages.training.elastic.certificate_text import certificate_lines, compilation_lines

    finished = datetime.fromtimestamp(manifest.finished).astimezone()
    scheme = ", of an earlier scheme" if manifest.ingredients.is_of_earlier_scheme else ""
    rows = [("key", manifest.key + scheme), ("path", store.output(manifest).place())]
    rows += [("finished", f"{finished:%Y-%m-%d %H:%M:%S %z} after {clock(manifest.seconds)}")]
    rows += [(name, text) for name, text in _conditions(manifest.provenance) if text]
    rows += [("workers", line) for line in certificate_lines(manifest.provenance)]
    rows += [("compiled", line) for line in compilation_lines(manifest.provenance)]
    rows += [("input", f"{path}: {each['address']} {each['key'][:12]}") for path, each in manifest.inputs.items()]
    rows += [("setting", f"{name} = {value}") for name, value in named_settings(manifest.settings).items()]
    rows += [("number", f"{name} {value:.6g}") for name, value in _numbers(manifest, store)]
    rows += [("file", f"{file.path}, {size(file.size)}, sha256 {file.sha256[:12]}") for file in manifest.files]
    return rows


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
