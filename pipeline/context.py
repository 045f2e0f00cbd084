"""What a running stage is given: its folders, its inputs, a parallel map, and a record to write to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TypeVar

from pipeline.folder import Folder
from pipeline.stage import Resources, Stage

Item = TypeVar("Item")
Value = TypeVar("Value")


class Context(Protocol):
    """The world as a stage sees it. The same stage runs in process (tests) and on Ray."""

    key: str
    """Key of the running stage: equal keys are equal work. Names the Ray Train run."""

    out: Folder
    """Private, empty folder of this attempt: the result, and nothing else, goes here."""

    work: Folder
    """Folder of this key that outlives a killed attempt: checkpoints and the growing record."""

    def input(self, stage: Stage) -> Folder:
        """Committed result of a stage that this one holds in a field."""

    def map(
        self, function: Callable[[Item], Value], items: Iterable[Item], *, resources: Resources | None = None
    ) -> list[Value]:
        """`[function(item) for item in items]`, spread over Ray workers when there are any; order is kept.

        `function` is a module-level function or a picklable object; one item is one task. Progress is shown by
        the number of finished items.
        """

    def progress(self, done: float, total: float, note: str = "") -> None:
        """Tell how far the stage is (shown with an ETA); cheap, call it as often as you like."""

    def record(self, step: int, values: Mapping[str, float]) -> None:
        """Append one point of the stage's curves to `work/metrics.jsonl`, from where it reaches MLflow."""
