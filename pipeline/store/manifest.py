"""What a committed result is, and how it was computed; read back only in this form.

Tested in tests/pipeline/store/test_store.py and tests/experiments/cli/store/test_hostile.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, TypedDict

import msgspec

from pipeline.keys.fingerprint import Ingredients
from pipeline.store.integrity import StoredFile
from pipeline.store.reading import Moment, Name, Unreadable, checked, decoded, refuse_deep


class Input(TypedDict):
    """A committed input."""

    address: str
    key: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a committed result is, and how it was computed."""

    key: str
    address: str
    variant: str
    tags: dict[str, str]
    ingredients: Ingredients
    settings: Any
    """Configuration with all defaults, for display."""

    inputs: dict[str, Input]
    """Committed inputs by field path."""

    provenance: dict[str, Any] = field(default_factory=dict)
    attempt: str = ""
    files: tuple[StoredFile, ...] = ()
    digest: str = ""
    """Output digest: hash over the sorted paths and checksums."""

    seconds: float = 0.0
    finished: float = 0.0
    """Time of the commit, in seconds since 1970."""


def parse_manifest(content: bytes) -> Manifest:
    """Raises Unreadable for anything that no commit has written."""
    stored = decoded(content, _MANIFEST)
    if not {"attempt", "files"} <= vars(stored).keys():
        raise Unreadable("it names no attempt or no files")
    refuse_deep(stored.settings, stored.ingredients.config, stored.provenance, stored.tags)
    checked(stored.provenance, _Provenance)
    ingredients = Ingredients(**_values(stored.ingredients))
    return Manifest(**{**_values(stored), "ingredients": ingredients})


def _values(stored: _StoredManifest | _StoredIngredients) -> dict[str, Any]:
    """All fields by name: msgspec leaves those at their default to the class, where `vars` does not see them."""
    return {member.name: getattr(stored, member.name) for member in fields(stored)}


@dataclass(frozen=True, kw_only=True)
class _StoredIngredients(Ingredients):
    schema: int = 1
    """Manifests of the first scheme of keys do not name their scheme."""


@dataclass(frozen=True, kw_only=True)
class _StoredManifest(Manifest):
    """A manifest as a commit writes it."""

    key: Name
    tags: dict[str, Any]
    ingredients: _StoredIngredients
    attempt: Name = ""
    seconds: Moment = 0.0
    finished: Moment = 0.0


class _Machine(TypedDict):
    """What `pipeline.store.provenance.machine` describes."""

    host: str
    platform: str
    processor: str
    cpus: int
    gpus: list[str]
    python: str


class _Git(TypedDict, total=False):
    commit: str
    dirty: bool
    difference: str


class _Resources(TypedDict):
    cpus: float
    gpus: float


class _Provenance(TypedDict, total=False):
    """The parts of a manifest's provenance that are displayed or that an estimate uses."""

    argv: list[str]
    git: _Git
    libraries: dict[str, str]
    machine: _Machine
    request: dict[str, Any]
    resources: _Resources
    run: str


_MANIFEST = msgspec.json.Decoder(_StoredManifest)
