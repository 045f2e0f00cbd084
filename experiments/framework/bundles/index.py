"""`bundle.json`, the index of a bundle: the request, the table without its numbers, and all members.

It is read as values of these types alone; a bundle comes from somebody else.

Tested in tests/experiments/cli/bundles/test_verify.py.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any

import msgspec

from experiments.framework.runs import PresetName
from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.store.reading import Count, Name, RelativePath, Unreadable, decoded, refuse_deep
from stages.tables.content import Unit

FORMAT = 1
INDEX, SEAL = "bundle.json", "bundle.sha256"
"""The index, and its checksum in a member of its own."""

Seeds = Annotated[int, msgspec.Meta(ge=2, le=10_000)]
"""Number of seeds of a row; a look goes through as many."""

TABLE, CLAIMS, LOCK = "table", "claims.json", "environment.txt"


Replicates = Annotated[int, msgspec.Meta(ge=2, le=10_000)]
"""Number of resamplings; the memory that they take grows with it."""


class Member(msgspec.Struct, frozen=True):
    """A file of the archive."""

    size: Count
    sha256: str


class CellEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One number of the table: where it comes from, and the paper's."""

    row: str
    column: str
    boxes: int
    published: float | None
    metric: str
    unit: Unit
    published_classes: list[tuple[str, float]]
    results: list[str]
    """Addresses of the stages that compute it, one for each seed."""

    @property
    def label(self) -> str:
        """The row, and its column if there is one."""
        return ", ".join(part for part in (self.row, self.column) if part)


class TableEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A table without the numbers that are computed."""

    title: str
    preset: PresetName
    row_title: str
    column_title: str
    departures: list[tuple[str, str, str]]
    published_title: str
    metric: str
    replicates: Replicates
    cells: list[CellEntry]


class ResultEntry(msgspec.Struct, frozen=True):
    """A result: the address of its stage, and its folder in the archive."""

    address: str
    folder: RelativePath


class Looks(msgspec.Struct, frozen=True, kw_only=True):
    """A run until decided: its verdicts are those of the looks from `first` seeds on."""

    first: Seeds
    most_seeds: Seeds


class ClaimsEntry(msgspec.Struct, frozen=True, kw_only=True):
    """The claims, and the words of the page that shows their verdicts."""

    stated: list[dict[str, Any]]
    images: str
    options: str
    own_data: bool
    looks: Looks | None = None


class Index(msgspec.Struct, frozen=True, kw_only=True):
    format: int
    ssdpipe: str
    """Version that wrote the bundle."""

    experiment: str
    request: dict[str, Any]
    """Options of the experiment, without places."""

    table: TableEntry
    claims: ClaimsEntry
    results: dict[Name, ResultEntry]
    """Results by key."""

    members: dict[RelativePath, Member]
    """All members but the index and its checksum."""


_DECODER = msgspec.json.Decoder(Index)


def write_index(index: Index, folder: Folder) -> None:
    """Write the index and its checksum."""
    content = (json.dumps(msgspec.to_builtins(index), indent=1, sort_keys=True) + "\n").encode()
    folder.write_bytes(INDEX, content)
    folder.write_bytes(SEAL, f"{hashlib.sha256(content).hexdigest()}\n".encode())


def read_index(folder: Folder, archive: str) -> Index:
    """Raises PipelineError when it is missing, differs from its checksum, or is of another form or a newer format."""
    if not (folder.is_file(INDEX) and folder.is_file(SEAL)):
        raise PipelineError(f"{archive} is not a bundle: it lacks {INDEX} or {SEAL}; `ssdpipe bundle` writes bundles")
    content, seal = folder.read_bytes(INDEX), folder.read_bytes(SEAL)
    if (digest := hashlib.sha256(content).hexdigest()) != seal.decode(errors="replace").strip():
        raise PipelineError(
            f"{archive} was changed: the checksum of {INDEX} is {digest}, but {SEAL} holds another; one of the two was "
            "changed. Nothing else was verified, since the index lists the other members"
        )
    try:
        index = decoded(content, _DECODER)
        refuse_deep(index.request, index.claims.stated)
    except Unreadable as error:
        raise PipelineError(f"{archive} cannot be read: {INDEX}: {error}") from error
    if index.format > FORMAT:
        raise PipelineError(
            f"{archive} has format {index.format}, but this version reads formats up to {FORMAT}: update ssdpipe"
        )
    return index
