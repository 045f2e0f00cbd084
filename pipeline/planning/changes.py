"""Why a key differs from that of an earlier result, down to the field and the function.

Tested in tests/pipeline/planning/test_plan.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.keys.fingerprint import Ingredients, encode, leaves
from pipeline.planning.graph import Node
from pipeline.store.store import Manifest

EARLIER_SCHEME = "keys of an earlier scheme"


def changes(before: Manifest, now: Ingredients, node: Node, undecided: Mapping[str, str] | None = None) -> list[str]:
    """Differences between a result and a stage, down to the field and the function.

    `undecided` holds digests of inputs that are yet to be computed, which are taken as unchanged. Results of an earlier
    scheme of keys are not compared: every module may have been renamed.
    """
    then = before.ingredients
    if then.is_of_earlier_scheme:
        return [EARLIER_SCHEME]
    lines = [f"class {then.stage} -> {now.stage}"] if then.stage != now.stage else []
    lines += [f"version {then.version} -> {now.version}"] if then.version != now.version else []
    lines += _changed_fields(then.config, now.config, before.settings, node.description.settings)
    lines += _changed_code(then.code, now.code)
    lines += ["data set changed"] if then.external != now.external else []
    lines += _changed_inputs(before, {**now.inputs, **(undecided or {})}, node)
    lines += [f"library {line}" for line in _changed_values(then.libraries, now.libraries)]
    return lines


def _changed_fields(then: Any, now: Any, shown_then: Any, shown_now: Any) -> list[str]:
    """The hashed fields decide what changed; the settings with all defaults supply the values to show."""
    old, new = dict(leaves(then, "config")), dict(leaves(now, "config"))
    old_values, new_values = dict(leaves(shown_then, "config")), dict(leaves(shown_now, "config"))
    paths = [path for path in sorted(old.keys() | new.keys()) if _text(old, path) != _text(new, path)]
    texts = [(path, _text(old_values, path), _text(new_values, path)) for path in paths]
    lines = [f"{path} {before} -> {after}" for path, before, after in texts if before != after]
    return lines or [f"{path} is still {after}, but its default has changed" for path, _, after in texts]


def _text(values: Mapping[str, Any], path: str) -> str:
    return encode(values[path]) if path in values else "(absent)"


def _changed_code(then: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for module in sorted(then.keys() | now.keys()):
        if module not in then or module not in now:
            yield f"{module}: {'no longer' if module not in now else 'now'} imported"
            continue
        for name in sorted(then[module].keys() | now[module].keys()):
            if then[module].get(name) != now[module].get(name):
                kind = "added" if name not in then[module] else "removed" if name not in now[module] else "changed"
                yield f"{module}: {name} {kind}"


def _changed_inputs(before: Manifest, now: Mapping[str, str], node: Node) -> Iterator[str]:
    for path in sorted(before.inputs.keys() | now.keys()):
        if path not in now:
            yield f"input {path} ({before.inputs[path]['address']}) removed"
        elif path not in before.inputs:
            yield f"input {path} added"
        elif before.inputs[path]["digest"] != now[path]:
            yield f"input {node.description.inputs[path].address} changed"


def _changed_values(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(then.keys() | now.keys()):
        if then.get(name) != now.get(name):
            yield f"{name} {then.get(name, '(not counted)')} -> {now.get(name, '(not counted)')}"
