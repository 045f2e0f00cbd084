"""Settings of a stage under the names that `-s` takes, such as `spec.sources.conv4_3.scales.0.ratios`.

Tested in tests/pipeline/keys/test_settings.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.keys.fingerprint import Json, encode

ROOT = "recipe"
"""Field whose settings `-s` names without it."""

LABELS = ("layer", "name")
"""Fields by which an item of a tuple is named instead of its index."""

ABSENT = "(absent)"
LONGEST = 100
"""Characters of a value that are printed."""

CLASS, ENUM, SET, INPUT = "$class", "$enum", "$set", "$input"


@dataclass(frozen=True, kw_only=True)
class Change:
    """A setting with two values as text; `ABSENT` where one side lacks it."""

    name: str
    before: str
    after: str

    @property
    def is_one_sided(self) -> bool:
        return ABSENT in (self.before, self.after)

    def __str__(self) -> str:
        return f"{self.name}: {shortened(self.before)} → {shortened(self.after)}"


def named_settings(settings: Json) -> dict[str, str]:
    """{name: value as text}; a nested dataclass is a setting too, by its class, and so is a tuple of them."""
    return {name.removeprefix(f"{ROOT}."): text for name, text in _settings(settings, "") if name}


def changed_settings(before: Json, after: Json) -> list[Change]:
    """Settings that differ; a part that only one side has is one change."""
    old, new = named_settings(before), named_settings(after)
    names = [name for name in (*old, *(name for name in new if name not in old)) if old.get(name) != new.get(name)]
    changes = [Change(name=name, before=old.get(name, ABSENT), after=new.get(name, ABSENT)) for name in names]
    return [change for change in changes if not (change.is_one_sided and _parent(change.name) in names)]


def _settings(value: Json, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and not {ENUM, SET, INPUT} & value.keys():
        if CLASS in value:
            yield path, str(value[CLASS]).rpartition(".")[2]
        for name, item in value.items():
            if name != CLASS:
                yield from _settings(item, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list) and value and all(isinstance(item, dict) and CLASS in item for item in value):
        labels = _labels(value)
        yield path, f"({', '.join(labels)})"
        for name, item in zip(labels, value, strict=True):
            yield from _settings(item, f"{path}.{name}")
    elif not _holds_input(value):
        yield path, text_of(value)


def _labels(items: list[Any]) -> list[str]:
    """Labels of the items of a tuple if these are distinct, else their indices."""
    labels = [next((item[name] for name in LABELS if isinstance(item.get(name), str)), "") for item in items]
    distinct = all(labels) and len(set(labels)) == len(labels)
    return labels if distinct else [str(index) for index in range(len(items))]


def _holds_input(value: Json) -> bool:
    """Whether a value stands for stages, which are no settings."""
    if isinstance(value, list):
        return any(map(_holds_input, value))
    return isinstance(value, dict) and INPUT in value


def text_of(value: Json) -> str:
    """A value as `-s` takes it."""
    if isinstance(value, Mapping):
        kind = next((name for name in (ENUM, SET) if name in value), "")
        return value[ENUM].rpartition(".")[2] if kind == ENUM else text_of(value[SET]) if kind else encode(value)
    if isinstance(value, list):
        return f"({', '.join(map(text_of, value))})"
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _parent(name: str) -> str:
    return name.rpartition(".")[0]


def shortened(text: str) -> str:
    """The text, its end left out where it is longer than `LONGEST`."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
