"""Why a key differs from that of an earlier result, down to the field and the function.

Tested in tests/pipeline/planning/test_plan.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipeline.keys.fingerprint import Ingredients
from pipeline.keys.settings import ABSENT, Change, changed_settings, named_settings
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
    lines = [f"class: {then.stage} → {now.stage}"] if then.stage != now.stage else []
    lines += [f"version: {then.version} → {now.version}"] if then.version != now.version else []
    lines += _changed_fields(then.config, now.config, before.settings, node.description.settings)
    lines += changed_code(then.code, now.code)
    lines += ["data set changed"] if then.external != now.external else []
    lines += _changed_inputs(before, {**now.inputs, **(undecided or {})}, node)
    lines += [f"library {change}" for change in changed_values(then.libraries, now.libraries, "(not counted)")]
    return lines


def _changed_fields(then: Any, now: Any, shown_then: Any, shown_now: Any) -> list[str]:
    """The hashed fields decide what changed; the settings with all defaults supply the values to show."""
    old, new, values = named_settings(then), named_settings(now), named_settings(shown_now)
    hashed = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
    changed = [change for change in changed_settings(shown_then, shown_now) if _is_part_of(change.name, hashed)]
    return [str(change) for change in changed] or [
        f"{name} is still {values.get(name, ABSENT)}, but its default has changed" for name in hashed
    ]


def _is_part_of(name: str, others: Iterable[str]) -> bool:
    """Whether one of the others is this setting, a part of it, or what it is a part of."""
    return any(f"{name}.".startswith(f"{other}.") or f"{other}.".startswith(f"{name}.") for other in others)


def changed_code(then: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Modules and definitions that differ."""
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


def changed_values(then: Mapping[str, str], now: Mapping[str, str], absent: str = ABSENT) -> list[Change]:
    """Values by name that differ."""
    return [
        Change(name=name, before=then.get(name, absent), after=now.get(name, absent))
        for name in sorted(then.keys() | now.keys())
        if then.get(name) != now.get(name)
    ]
