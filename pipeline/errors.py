"""Errors that a user can cause, as one tree of exceptions.

    PipelineError           one clear message; the command ends with exit code 2
    ├── StageFailed         a stage of a run failed; the command ends with exit code 1
    └── Interrupted         Ctrl-C or SIGTERM; the command ends with exit code 130

Any other exception that escapes is a bug in the project and keeps its traceback.
"""

from __future__ import annotations


class PipelineError(Exception):
    """A mistake that the user can fix. The message says what is wrong, with the numbers, where, and how to fix it."""

    exit_code = 2


class StageFailed(PipelineError):
    """One or more stages failed; the results of the others are kept."""

    exit_code = 1


class Interrupted(PipelineError):
    """The run was stopped from outside. Committed results stay, and the same command resumes."""

    exit_code = 130
