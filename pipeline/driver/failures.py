"""The report on failed stages: cause, last lines of the log, and the command that continues.

Tested in tests/pipeline/driver/test_run.py.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from pipeline.errors import PipelineError, StageFailed
from pipeline.execution.outcome import Outcome, Result
from pipeline.execution.stage_log import last_lines
from pipeline.folder import Folder
from pipeline.redaction import redacted_arguments
from pipeline.store.store import Store, log_name


def this_command() -> str:
    """The command line of this process, ready to be typed again, except for secrets in it."""
    return shlex.join([Path(sys.argv[0]).name, *redacted_arguments(sys.argv[1:])])


def raise_for_failures(result: Result, store: Store) -> None:
    """Raise one error that reports all failed stages, if any.

    PipelineError (exit code 2) when the user can fix all of them, StageFailed (exit code 1) otherwise.
    """
    failed = result.in_state("failed")
    if not failed:
        return
    logs = store.run(result.run_id) / "logs"
    kept, skipped = len(result.in_state("cached", "committed")), len(result.in_state("skipped"))
    counts = f"{len(failed)} failed, {skipped} skipped, {kept} of {len(result.outcomes)} stages are kept"
    text = "\n\n".join([*(_card(outcome, logs) for outcome in failed), f"{counts}. To continue:\n  {this_command()}"])
    mistakes = all(_is_mistake(outcome) for outcome in failed)
    raise PipelineError(text) if mistakes else StageFailed(text)


def _card(outcome: Outcome, logs: Folder) -> str:
    name = log_name(outcome.address)
    lines = [f"{outcome.address} failed: {type(outcome.error).__name__}: {outcome.error}"]
    if _is_mistake(outcome):  # its message suffices
        lines = [f"{outcome.address}: {outcome.error}"]
    else:
        lines += [f"  | {line}" for line in last_lines(logs, name)]
    if logs.exists(name):
        lines.append(f"  log: {logs.place(name)}")
    return "\n".join(lines)


def _is_mistake(outcome: Outcome) -> bool:
    return isinstance(outcome.error, PipelineError)
