"""What a user can cause, as one tree of exceptions.

    PipelineError           one clear message; the command ends with exit code 2
    ├── StageFailed         a stage of a run failed; the command ends with exit code 1
    └── Interrupted         Ctrl-C or SIGTERM; the command ends with exit code 130

Anything else that escapes is a defect of ours and keeps its traceback.
"""

from __future__ import annotations


class PipelineError(Exception):
    """A mistake that a user can mend: say what, with the numbers, where, and how to mend it."""

    exit_code = 2


class StageFailed(PipelineError):
    """One or more stages failed; the others are kept."""

    exit_code = 1


class Interrupted(PipelineError):
    """The run was stopped from outside; what was committed stays, the same command goes on."""

    exit_code = 130
