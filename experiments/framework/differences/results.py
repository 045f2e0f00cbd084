"""How two results, tables or runs of a store differ: settings, functions, data, environment, numbers.

Both sides are walked together from the results to all that they were computed from.

Tested in tests/experiments/cli/runs/test_diff.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from experiments.framework.differences.numbers import NumberChange, number_changes
from pipeline.keys.settings import ABSENT, Change, changed_settings
from pipeline.planning.changes import changed_code, changed_values
from pipeline.store.manifest import Manifest
from pipeline.store.runs import StoredRun
from pipeline.store.store import Store

Pair = tuple[Manifest, Manifest]
TRAINING = "train"
"""Kind of the stages whose settings `-s` takes; the settings of others are named with their kind."""


@dataclass(frozen=True, kw_only=True)
class SettingChange(Change):
    stages: tuple[str, ...]
    """Addresses of the stages with this change, those of the second side."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What differs between `before` and `after`, each named as in the store."""

    before: str
    after: str
    settings: tuple[SettingChange, ...] = ()
    functions: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    environment: tuple[Change, ...] = ()
    numbers: tuple[NumberChange, ...] = ()
    stages: tuple[str, ...] = ()
    """Stages that only one of two runs has."""


def compare_results(store: Store, before: Manifest, after: Manifest) -> Difference:
    """Raises PipelineError where a result cannot be read."""
    pairs = list(_walk(store, [(before, after)]))
    return _difference(store, pairs, (_name(before), _name(after)), [(before, after)])


def compare_runs(store: Store, before: StoredRun, after: StoredRun) -> Difference:
    """Two recorded runs: stages of the same address are compared with each other."""
    old, new = _results(store, before), _results(store, after)
    common = [(old[address], new[address]) for address in old if address in new]
    difference = _difference(store, list(_walk(store, common)), (before.id, after.id), common)
    only = [f"{address}: only in {run.id}" for run, one, other in ((before, old, new), (after, new, old))
            for address in one if address not in other]  # fmt: skip
    return replace(difference, stages=tuple(only))


def _results(store: Store, run: StoredRun) -> dict[str, Manifest]:
    """Committed results of a run by address."""
    found = {address: store.find(node.key) for address, node in run.state.nodes.items() if node.key}
    return {address: manifest for address, manifest in found.items() if manifest}


def _name(manifest: Manifest) -> str:
    return f"{manifest.address} ({manifest.key[:12]})"


def _difference(store: Store, pairs: list[Pair], names: tuple[str, str], tops: Iterable[Pair]) -> Difference:
    tops = list(tops)
    return Difference(
        before=names[0],
        after=names[1],
        settings=tuple(_settings(pairs)),
        functions=_unique(line for old, new in pairs for line in _functions(old, new)),
        data=_unique(line for pair in pairs for line in _data(*pair)),
        environment=tuple(_environment(tops)),
        numbers=tuple(number_changes(store, tops)),
    )


def _walk(store: Store, tops: Iterable[Pair]) -> Iterator[Pair]:
    """Pairs of different results, and of what they were computed from, each once."""
    waiting, seen = list(tops), set[tuple[str, str]]()
    while waiting:
        old, new = waiting.pop(0)
        if old.key == new.key or (old.key, new.key) in seen:
            continue
        seen.add((old.key, new.key))
        yield old, new
        for path, other in _partners(old, new).items():
            pair = store.find(old.inputs[path]["key"]), store.find(new.inputs[other]["key"])
            if pair[0] and pair[1]:
                waiting.append((pair[0], pair[1]))


def _partners(old: Manifest, new: Manifest) -> dict[str, str]:
    """{input of `old`: input of `new`}: those with the same address, else at the same place."""
    by_address = {held["address"]: path for path, held in new.inputs.items()}
    same = {path: by_address[held["address"]] for path, held in old.inputs.items() if held["address"] in by_address}
    return same | {path: path for path in old.inputs if path not in same and path in new.inputs}


def _settings(pairs: Iterable[Pair]) -> Iterator[SettingChange]:
    stages: dict[Change, list[str]] = {}
    for old, new in pairs:
        kind = new.address.partition("/")[0]
        prefix = "" if kind == TRAINING else f"{kind}."
        for change in changed_settings(old.settings, new.settings):
            named = Change(name=prefix + change.name, before=change.before, after=change.after)
            stages.setdefault(named, []).append(new.address)
    for change, addresses in stages.items():
        yield SettingChange(**vars(change), stages=tuple(dict.fromkeys(addresses)))


def _functions(old: Manifest, new: Manifest) -> Iterator[str]:
    then, now = old.ingredients, new.ingredients
    if then.stage == now.stage:
        yield from changed_code(then.code, now.code)
    else:
        yield f"class: {then.stage} → {now.stage}"
    if then.version != now.version:
        yield f"{new.address}: version {then.version} → {now.version}"


def _data(old: Manifest, new: Manifest) -> Iterator[str]:
    if old.ingredients.external != new.ingredients.external:
        same = old.address == new.address
        yield f"{old.address}: its data set changed" if same else f"{old.address} → {new.address}"
    partners = _partners(old, new)
    for path in old.inputs.keys() - partners.keys():
        yield f"{path} of {old.address}: {old.inputs[path]['address']} → {ABSENT}"
    for path in new.inputs.keys() - set(partners.values()):
        yield f"{path} of {new.address}: {ABSENT} → {new.inputs[path]['address']}"


def _environment(pairs: Iterable[Pair]) -> list[Change]:
    """Conditions that differ; they are not part of keys."""
    old: dict[str, str] = {}
    new: dict[str, str] = {}
    for before, after in pairs:
        old |= _conditions(before.provenance)
        new |= _conditions(after.provenance)
    return changed_values(old, new)


def _conditions(provenance: Mapping[str, Any]) -> dict[str, str]:
    machine, git, resources = (provenance.get(name, {}) for name in ("machine", "git", "resources"))
    conditions = {
        **machine,
        "gpus": ", ".join(machine.get("gpus", ())) or "none",
        "commit": git.get("commit", "") + (f" with changes {git['difference']}" if git.get("difference") else ""),
        **provenance.get("libraries", {}),
        **{f"used {name}": value for name, value in resources.items()},
    }
    return {name: str(value) for name, value in conditions.items()}


def _unique(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lines))
