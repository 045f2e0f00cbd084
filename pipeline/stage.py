"""What a stage's author must know: a stage, what it occupies, and the context that a running stage is given.

A stage is one cached step of a graph, as a frozen keyword-only dataclass. Fields that hold other stages (also inside
tuples and nested dataclasses) are the edges; building objects builds the graph. All other fields say *what* is computed
and are part of the key, except those declared with `execution`, which say *where and how fast* and never are. The code
of the methods in `TELLING`, which only describe a stage, is in no key either.

Tested in tests/pipeline/keys/test_fingerprint.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeVar

from pipeline.folder import Folder

Item = TypeVar("Item")
Value = TypeVar("Value")


TELLING = ("resources", "tracked_by", "artifacts", "description", "data_sets", "models", "parameters")
"""Methods of a stage that say where it runs and how it is shown; a change of them makes no result another one."""


def execution(default: Any) -> Any:
    """A dataclass field that changes speed or place, never the result: not hashed, not compared."""
    return field(default=default, compare=False, metadata={"execution": True})


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What a stage occupies while it runs; the scheduler admits stages while these sums fit."""

    cpus: float = 1
    gpus: float = 0
    nested: bool = False
    """The stage starts workers of its own (Ray Train, `Context.map`): its task itself takes no CPU."""


@dataclass(frozen=True, kw_only=True)
class Stage(ABC):
    """One step; equal stages are one node of the graph."""

    kind: ClassVar[str] = ""
    """First part of the address; the lowercased class name when empty."""

    version: ClassVar[int] = 1
    """Part of the key: raise it to force a change by hand."""

    variant: str = execution("")
    """Rest of the address `kind/variant`, such as `conv7-only/seed0`."""

    tags: tuple[tuple[str, str], ...] = execution(())
    """What the experiment says of this stage (variant, seed, preset); logged, never hashed."""

    @property
    def address(self) -> str:
        """How a person names this stage: `train/conv7-only/seed0`."""
        kind = self.kind or type(self).__name__.lower()
        return f"{kind}/{self.variant}" if self.variant else kind

    @property
    def resources(self) -> Resources:
        return Resources()

    def external_digest(self) -> str:
        """Digest of all that the stage reads from outside the store (a data set on disk); part of its key.

        Called when the graph is planned. Raises PipelineError when that input is missing.
        """
        return ""

    def prepare(self) -> None:  # noqa: B027 - most stages have nothing to fetch
        """Called once in the driver when this stage is to run, before anything starts: fetch or refuse here.

        Raises PipelineError when something is missing that no other stage makes.
        """

    def tracked_by(self) -> Stage | None:
        """The stage to whose MLflow run this stage's `summary.json` and artifacts belong, if any."""
        return None

    def artifacts(self) -> tuple[str, ...]:
        """Names of output files to show in MLflow: in the run of `tracked_by()`, else in that of the invocation."""
        return ()

    def description(self) -> str:
        """Name of the Markdown file among the artifacts that a person would read first, if any."""
        return ""

    def data_sets(self) -> Mapping[str, str]:
        """Inputs that are data sets, by the path of their field, and what for: `{"shards": "evaluation"}`."""
        return {}

    def models(self) -> Mapping[str, int]:
        """Output files of a tracked stage that hold weights, and the step that they are of."""
        return {}

    def parameters(self) -> Mapping[str, str | int | float]:
        """Flat, comparable parameters of a tracked stage."""
        return {}

    @abstractmethod
    def run(self, ctx: Context) -> None:
        """Write the whole result below `ctx.out`; the store makes it real when this returns."""


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
