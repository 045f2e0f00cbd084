"""The interface for authors of stages: the stage, its resources, and the context in which it runs.

A stage is one cached step of a graph, as a frozen keyword-only dataclass. Fields that hold other stages (also inside
tuples and nested dataclasses) are the edges; building objects builds the graph. All other fields say *what* is computed
and are part of the key, except those declared with `execution`, which say *where and how fast* and never are. The code
of the methods in `DESCRIPTIVE`, which only describe a stage, is in no key either.

Tested in tests/pipeline/keys/test_fingerprint.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol, TypeVar

from pipeline.folder import Folder

Item = TypeVar("Item")
Value = TypeVar("Value")


DESCRIPTIVE = (
    "resources", "places_read", "tracked_by", "artifacts", "description", "data_sets", "models", "parameters",
)  # fmt: skip
"""Methods of a stage that say where it runs and how it is presented; changing them changes no result."""


def execution(default: Any) -> Any:
    """A dataclass field that affects where or how fast a stage runs, never its result: neither hashed nor compared."""
    return field(default=default, compare=False, metadata={"execution": True})


@dataclass(frozen=True, kw_only=True)
class Resources:
    """CPUs and GPUs that a stage occupies while it runs; the scheduler admits stages while their sums fit."""

    cpus: float = 1
    gpus: float = 0
    nested: bool = False
    """Whether the stage starts its own workers (Ray Train, `Context.map`); its task then takes no CPU itself."""

    workers: int = 1
    """Number of equal workers of a nested stage, each of which must fit on one node."""

    least_workers: int = 0
    """Number of workers with which a nested stage can run as well, if fewer fit; 0 if it needs all of them."""

    spreads: bool = False
    """Whether the tasks of `Context.map` may also use CPUs that are free when the stage starts."""

    @property
    def worker(self) -> Resources:
        """Share of one worker."""
        return Resources(cpus=self.cpus / self.workers, gpus=self.gpus / self.workers)

    def with_workers(self, workers: int) -> Resources:
        """These resources for another number of workers."""
        return replace(self, cpus=workers * self.worker.cpus, gpus=workers * self.worker.gpus, workers=workers)

    def at_least(self) -> Resources:
        """What the stage cannot run without."""
        return self.with_workers(self.least_workers) if self.least_workers else self


@dataclass(frozen=True, kw_only=True)
class Stage(ABC):
    """One cached step; equal stages are one node of the graph."""

    kind: ClassVar[str] = ""
    """First part of the address; the class name in lower case when empty."""

    version: ClassVar[int] = 1
    """Part of the key: raise it to force a recomputation."""

    checked_by_reader: ClassVar[tuple[str, ...]] = ()
    """Patterns of output files that whoever reads them compares with a checksum, since they are many and large.

    All other files of an input are compared with its manifest before the stage that uses it can read them.
    """

    saves_when_stopped: ClassVar[bool] = False
    """Whether `run` checks `Context.stop_requested`, saves its state in `Context.work` and raises Interrupted.

    On Ctrl-C such a stage is given time for it; any other stage is interrupted at once.
    """

    variant: str = execution("")
    """Rest of the address `kind/variant`, such as `conv7-only/seed0`."""

    tags: tuple[tuple[str, str], ...] = execution(())
    """Labels that the experiment gives this stage (variant, seed, preset); logged, never hashed."""

    @property
    def address(self) -> str:
        """Name of this stage for users: `train/conv7-only/seed0`."""
        kind = self.kind or type(self).__name__.lower()
        return f"{kind}/{self.variant}" if self.variant else kind

    @property
    def resources(self) -> Resources:
        return Resources()

    def external_digest(self) -> str:
        """Digest of everything that the stage reads from outside the store (a data set on disk); part of its key.

        Called when the graph is planned. Raises PipelineError when that input is missing.
        """
        return ""

    def places_read(self) -> tuple[str, ...]:
        """Paths or URIs outside the store that `run` reads, on whichever node of a cluster it and its tasks run."""
        return ()

    def prepare(self) -> None:  # noqa: B027 - most stages have nothing to fetch
        """Fetch or check inputs. Called once in the driver when this stage is to run, before any stage starts.

        Raises PipelineError when something is missing that no other stage produces.
        """

    def tracked_by(self) -> Stage | None:
        """The stage to whose MLflow run this stage's `summary.json` and artifacts belong, if any."""
        return None

    def artifacts(self) -> tuple[str, ...]:
        """Names of output files to show in MLflow: in the run of `tracked_by()`, else in the invocation's run."""
        return ()

    def description(self) -> str:
        """Name of the Markdown artifact that a reader should see first, if any."""
        return ""

    def data_sets(self) -> Mapping[str, str]:
        """Purpose of each input that is a data set, by the path of its field: `{"shards": "evaluation"}`."""
        return {}

    def models(self) -> Mapping[str, int]:
        """Training step of each output file of a tracked stage that holds weights."""
        return {}

    def parameters(self) -> Mapping[str, str | int | float]:
        """Flat, comparable parameters of a tracked stage."""
        return {}

    @abstractmethod
    def run(self, ctx: Context) -> None:
        """Write the whole result below `ctx.out`; the store commits it when this returns."""


class Context(Protocol):
    """Everything that a running stage may use; the same in process (tests, notebooks) and on Ray."""

    key: str
    """Key of the running stage; equal keys mean equal work. Also the name of the Ray Train run."""

    out: Folder
    """Private folder of this attempt, empty at first, for the result and nothing else."""

    work: Folder
    """Work folder of this key, which outlives a killed attempt: checkpoints, curves, progress."""

    def input(self, stage: Stage) -> Folder:
        """Return the committed result of a stage that this one holds in a field."""

    def map(
        self, function: Callable[[Item], Value], items: Iterable[Item], *, resources: Resources | None = None
    ) -> list[Value]:
        """Return `[function(item) for item in items]`, in order, computed by Ray workers when there are any.

        `function` is a module-level function or a picklable callable; each item is one task. The number of finished
        items is reported as progress.
        """

    def progress(self, done: float, total: float, note: str = "") -> None:
        """Report progress, which is displayed with an ETA; cheap enough to call at every step."""

    def stop_requested(self) -> bool:
        """Whether the run is to end now: the stage should save its state. Cheap enough to call at every step."""

    def record(self, step: int, values: Mapping[str, float]) -> None:
        """Append one point of the stage's curves to `work/metrics.jsonl`, from where it is logged to MLflow."""

    def note(self, name: str, value: Any) -> None:
        """Record how the result was computed, as JSON: `provenance[name]` of its manifest; in no key or digest."""
