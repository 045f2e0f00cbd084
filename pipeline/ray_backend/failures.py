"""Exceptions across processes: an error of a stage arrives with its type, a lost worker as `WorkerLost`.

Tested in tests/pipeline/ray_backend/test_executor.py and tests/pipeline/ray_backend/test_failures.py.
"""

from __future__ import annotations

import traceback
from contextlib import suppress
from dataclasses import dataclass

from pipeline.execution.executor import WorkerLost


class RemoteTraceback(Exception):
    """Traceback of an exception in its original process; set as `__cause__`, so it is printed first."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


@dataclass(frozen=True)
class RemoteFailure:
    """An exception in transit to the driver, as text and, if it can be pickled, as an object."""

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


RAYS_ADVICE = " This can happen if"
"""Where Ray goes on, for hundreds of characters, with guesses and its own commands."""


def as_worker_lost(error: BaseException, what: str) -> WorkerLost | None:
    """Ray's error about a lost process or node as a WorkerLost, which is retried; None for any other error."""
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
    said = cause[0].partition(RAYS_ADVICE)[0] if cause else "no cause given"
    return WorkerLost(f"{what}: {type(error).__name__}: {said}")


def _pickled(error: BaseException) -> bytes | None:
    from ray import cloudpickle  # can pickle classes that are defined in a user's file

    with suppress(Exception):
        return bytes(cloudpickle.dumps(error))
    return None


def _loaded(pickled: bytes | None) -> BaseException | None:
    """The exception; None if it cannot be unpickled, as when its constructor needs more than its `args`."""
    from ray import cloudpickle

    with suppress(Exception):
        error = cloudpickle.loads(pickled)
        return error if isinstance(error, BaseException) else None
    return None
