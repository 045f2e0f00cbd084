"""What a stage computes, as one canonical JSON value, and its hash: the key.

    config    fields that say what is computed; those at their default are omitted, so a new field whose
              default is the old behaviour keeps old results
    inputs    {field path: stage} for stages held in fields, tuples, mappings and nested dataclasses
    key       hash of class, version, config, code, external data and output digests of the inputs

30 and 30.0 are one value. Execution fields (`pipeline.stage.execution`) are omitted everywhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from enum import Enum
from functools import cache, cached_property
from typing import Any

from pipeline.errors import PipelineError
from pipeline.redaction import HIDDEN, redacted
from pipeline.stage import Stage

SCHEMA = 2
"""Number of the key scheme: the only part of `pipeline` itself that enters a key."""

GUESS_ROUNDS = 200_000

Json = Any
INPUT = {"$input": True}


def encode(value: Json) -> str:
    """The canonical text of a JSON value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value: Json) -> str:
    """The first 32 hexadecimal digits (128 bits) of the SHA-256 of a JSON value."""
    return hashlib.sha256(encode(value).encode()).hexdigest()[:32]


def leaves(value: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Settings by dotted path. A list of plain values is one setting; items of other lists are addressed by index."""
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        value = {str(place): item for place, item in enumerate(value)}
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from leaves(item, f"{path}.{name}".lstrip("."))
    else:
        yield path, value


def class_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


@dataclass(frozen=True)
class Description:
    """The parts of a stage that matter for its key and display."""

    stage: Stage
    config: Json
    """Configuration that is hashed: without fields at their default."""

    inputs: dict[str, Stage]
    classes: frozenset[type]
    """The stage's class and those of all dataclasses and enums in its fields: their code is part of the key."""

    @cached_property
    def settings(self) -> Json:
        """Configuration that is displayed: with all defaults."""
        return _Reader(class_name(type(self.stage)), shown=True).fields_of(self.stage, "")


def describe(stage: Stage) -> Description:
    """Describe a stage. Raises PipelineError that names the field when a value has no canonical form."""
    reader = _Reader(class_name(type(stage)), shown=False)
    config = reader.fields_of(stage, "")
    return Description(stage, config, reader.inputs, frozenset({type(stage), *reader.classes}))


class _Reader:
    """One walk over the fields of a stage."""

    def __init__(self, place: str, *, shown: bool) -> None:
        self.place = place
        self.shown = shown
        self.inputs: dict[str, Stage] = {}
        self.classes: set[type] = set()

    def fields_of(self, owner: Any, path: str) -> dict[str, Json]:
        found: dict[str, Json] = {}
        for member in fields(owner):
            if member.metadata.get("execution"):
                continue
            where = f"{path}.{member.name}" if path else member.name
            before = len(self.inputs)
            held = getattr(owner, member.name)
            value = self.read(held, where)
            holds_stage = len(self.inputs) > before
            if self.shown or holds_stage or not self._is_default(member, held, value, where):
                found[member.name] = value
        return found

    def read(self, value: Any, where: str) -> Json:
        if isinstance(value, Stage):
            self.inputs[where] = value
            return INPUT
        if isinstance(value, Enum):
            self.classes.add(type(value))
            return {"$enum": f"{class_name(type(value))}.{value.name}"}
        if isinstance(value, str):
            return _text(value)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            return _number(value)
        if isinstance(value, tuple | list):
            return [self.read(item, f"{where}[{index}]") for index, item in enumerate(value)]
        if isinstance(value, set | frozenset):
            return {"$set": sorted((self.read(item, f"{where}{{}}") for item in value), key=encode)}
        if isinstance(value, Mapping):
            return {self._name(name, where): self.read(item, f"{where}.{name}") for name, item in value.items()}
        if is_dataclass(value) and not isinstance(value, type):
            self.classes.add(type(value))
            return {"$class": class_name(type(value)), **self.fields_of(value, where)}
        raise PipelineError(
            f"{self.place}: field {where} holds a {type(value).__name__} ({value!r:.60}), which cannot be part of a "
            "key; use numbers, strings, None, enums, tuples, mappings, frozen dataclasses or stages, or declare the "
            "field with execution(...) when it never changes the result"
        )

    def _is_default(self, member: Field[Any], held: Any, value: Json, where: str) -> bool:
        default = member.default if member.default_factory is MISSING else member.default_factory()
        if default is MISSING or held is default:
            return held is default
        return encode(value) == encode(_Reader(self.place, shown=False).read(default, where))

    def _name(self, name: Any, where: str) -> str:
        if not isinstance(name, str) or name.startswith("$"):
            raise PipelineError(
                f"{self.place}: field {where} has the key {name!r}; keys are strings without a leading $"
            )
        return name


def _text(value: str) -> str:
    """A text without secrets. A login or a signature only opens a place: it says nothing about what is computed.

    Anything else that looks like a secret may be a setting, so it is hidden but still changes the key.
    """
    shown = redacted(value)
    return shown if shown.count(HIDDEN) == value.count(HIDDEN) else f"{shown}#{_slow_digest(value)}"


@cache
def _slow_digest(secret: str) -> str:
    """A digest that is equal on every machine, as keys must be, and costs whoever guesses 0.1 s for each guess."""
    return hashlib.pbkdf2_hmac("sha256", secret.encode(), b"ssdpipe", GUESS_ROUNDS).hex()[:12]


def _number(value: float) -> float:
    """Canonical form of a number: 30.0 becomes 30; other floats keep their shortest exact text."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return float(value) if isinstance(value, float) else int(value)


@dataclass(frozen=True, kw_only=True)
class Ingredients:
    """Everything that a key is computed from."""

    stage: str
    """Module and qualified name of the class."""

    version: int = 1
    config: Json = field(default_factory=dict)
    code: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """{module: {definition: digest}}, from `pipeline.keys.code_digest`."""

    external: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """{field path: output digest}."""

    libraries: Mapping[str, str] = field(default_factory=dict)
    """{library: version}; empty unless library versions are requested as part of the key."""

    schema: int = SCHEMA
    """Key scheme: results of another scheme never count as cached; they can only be read."""

    @property
    def key(self) -> str:
        return digest(vars(self))

    @property
    def is_of_earlier_scheme(self) -> bool:
        return self.schema < SCHEMA


def node_ids(stage: Stage, described: Callable[[Stage], Description], memo: dict[int, str]) -> str:
    """Id of a stage, computed from its fields and those of all stages above it; known before anything has run.

    `memo` maps `id(stage)` to the node id, so that shared stages are visited once.
    """
    if id(stage) not in memo:
        description = described(stage)
        above = {path: node_ids(held, described, memo) for path, held in description.inputs.items()}
        memo[id(stage)] = digest([class_name(type(stage)), type(stage).version, description.config, above])
    return memo[id(stage)]
