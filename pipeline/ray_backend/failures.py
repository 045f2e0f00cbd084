"""Exceptions across processes: a user's error arrives as what it was, a lost worker as `WorkerLost`.

Tested in tests/pipeline/ray_backend/test_executor.py.
"""

from __future__ import annotations

import traceback
from contextlib import suppress
from dataclasses import dataclass

from pipeline.execution.executor import WorkerLost


class RemoteTraceback(Exception):
    """Where an exception came from in its own process; stands as `__cause__`, so it is printed first."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


@dataclass(frozen=True)
class RemoteFailure:
    """An exception on its way home, as text and, where it can be pickled, as itself."""

    pickled: bytes | None
    summary: str
    text: str

    @classmethod
    def of(cls, error: BaseException) -> RemoteFailure:
        summary = "".join(traceback.format_exception_only(error)).strip()
        text = "".join(traceback.format_exception(error)).rstrip()
        return cls(_pickled(error), summary, text)

    def exception(self) -> BaseException:
        """The exception, with its remote traceback as cause."""
        error = _loaded(self.pickled) or RuntimeError(self.summary)
        error.__cause__ = RemoteTraceback(self.text)
        return error


def as_worker_lost(error: BaseException, what: str) -> WorkerLost | None:
    """A loss of processes or nodes told by Ray, as one that may be tried again; None for any other error."""
    from ray import exceptions

    lost = (
        exceptions.WorkerCrashedError,
        exceptions.NodeDiedError,
        exceptions.ActorDiedError,
        exceptions.ActorUnavailableError,
        exceptions.ObjectLostError,
        exceptions.LocalRayletDiedError,
        exceptions.OutOfMemoryError,
        exceptions.TaskPlacementGroupRemoved,
    )
    if not isinstance(error, lost):
        return None
    cause = str(error).strip().splitlines()
    return WorkerLost(f"{what}: {type(error).__name__}: {cause[0] if cause else 'no cause told'}")


def _pickled(error: BaseException) -> bytes | None:
    from ray import cloudpickle  # carries classes that are defined in a user's own file

    with suppress(Exception):
        return bytes(cloudpickle.dumps(error))
    return None


def _loaded(pickled: bytes | None) -> BaseException | None:
    """None also for an exception whose constructor needs more than its `args`: such cannot be unpickled."""
    from ray import cloudpickle

    with suppress(Exception):
        error = cloudpickle.loads(pickled)
        return error if isinstance(error, BaseException) else None
    return None
