"""A node that is to run, as the scheduler keeps it: queued or running.

Tested in tests/pipeline/execution/test_scheduler.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.execution.job import Job
from pipeline.planning.graph import Node
from pipeline.stage import Resources
from pipeline.store.store import Manifest, Store


@dataclass
class Pending:
    """A node to run: queued or running."""

    node: Node
    draft: Manifest
    inputs: dict[str, Manifest]
    attempt: int = 0
    not_before: float = 0.0
    waiting: bool = False
    began: float = 0.0
    cancelled: bool = False
    requested: Resources = field(default_factory=Resources)
    """With as many of its workers as the budget has room for."""

    taken: Resources = field(default_factory=Resources)
    """Of the budget, while it runs."""

    def job(self, store: Store, run_id: str, share: Resources) -> Job:
        """The job of the next attempt; tasks of `Context.map` get `share`."""
        return Job(
            stage=self.node.stage,
            draft=self.draft,
            store=store,
            inputs={path: store.output(manifest) for path, manifest in self.inputs.items()},
            files={path: manifest.files for path, manifest in self.inputs.items()},
            share=share,
            run_id=run_id,
            attempt=self.attempt,
        )
