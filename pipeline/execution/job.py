"""A stage to run, as it is sent to the process that runs it.

Tested in tests/pipeline/execution/test_scheduler.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.folder import Folder
from pipeline.stage import Resources, Stage
from pipeline.store.integrity import StoredFile
from pipeline.store.store import Manifest, Store


@dataclass(frozen=True, kw_only=True)
class Job:
    """Everything that a process needs to run a stage and commit its result; picklable."""

    stage: Stage
    draft: Manifest
    """The manifest without files: key, address, ingredients (including code digests)."""

    store: Store
    inputs: Mapping[str, Folder]
    """Committed results by field path."""

    files: Mapping[str, tuple[StoredFile, ...]] = field(default_factory=dict)
    """Files of the inputs' manifests by field path, to compare before use."""

    share: Resources
    """The most that tasks of `Context.map` may take at once."""

    run_id: str
    attempt: int
    """1 for the first try in this run."""

    @property
    def key(self) -> str:
        return self.draft.key

    @property
    def address(self) -> str:
        return self.draft.address

    @property
    def logs(self) -> Folder:
        return self.store.run(self.run_id) / "logs"
