"""Errors that a user can cause, as one tree of exceptions.

    PipelineError           one clear message; the command ends with exit code 2
    ├── StoreFault          the store cannot be written or read; the run ends, the exit code is 2
    ├── ClusterLost         Ray's head is gone; the run ends, the exit code is 2
    ├── StageFailed         a stage of a run failed; the command ends with exit code 1
    └── Interrupted         Ctrl-C or SIGTERM; the command ends with exit code 130

Any other exception that escapes is a bug in the project and keeps its traceback.
"""

from __future__ import annotations

from pipeline.redaction import redacted


class PipelineError(Exception):
    """A mistake that the user can fix. The message says what is wrong, with the numbers, where, and how to fix it.

    Passwords, keys and tokens in it are left out: many messages name a place by the URI that the user gave.
    """

    exit_code = 2

    def __init__(self, message: str = "") -> None:
        super().__init__(redacted(str(message)))


class StoreFault(PipelineError):
    """The place where the store lies fails: a full disk, read-only, removed, out of reach. It ends the whole run."""


class ClusterLost(PipelineError):
    """Ray's head, or Ray on the driver's host, is gone. It ends the whole run."""


class StageFailed(PipelineError):
    """One or more stages failed; the results of the others are kept."""

    exit_code = 1


class Interrupted(PipelineError):
    """The run was stopped from outside. Committed results stay, and the same command resumes."""

    exit_code = 130
