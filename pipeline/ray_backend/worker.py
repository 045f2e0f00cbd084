"""Runs a job in a Ray worker: checks that it has the driver's code, runs the stage, captures its log.

Nothing here imports torch: a worker that only shards images does not pay for it.

Tested in tests/pipeline/ray_backend/test_executor.py.
"""

from __future__ import annotations

import platform
import sys
import time

from pipeline.errors import PipelineError
from pipeline.execution.job import Job
from pipeline.execution.run_stage import run_stage
from pipeline.execution.stage_log import captured
from pipeline.keys.code_digest import changed_modules
from pipeline.ray_backend.cancelling import hear_cancel
from pipeline.ray_backend.failures import RemoteFailure
from pipeline.ray_backend.parallel_map import RayMapper
from pipeline.ray_backend.same_code import Code, remember_driver
from pipeline.store.faults import as_store_fault
from pipeline.store.store import Manifest, log_name

ABORT_SECONDS = 5.0
"""How long a cancelled nested stage stays alive, so that its trainer can release its workers."""


def work(job: Job, code: Code) -> Manifest | RemoteFailure:
    """Run and commit the job's stage; return its manifest, or the failure that its code raised.

    `code` is the driver's.

    A cancelled job raises KeyboardInterrupt, which Ray reports as TaskCancelledError.
    """
    hear_cancel()
    name = log_name(job.address)
    try:
        return _logged_work(job, name, code)
    except OSError as error:  # the log itself cannot be written
        return RemoteFailure.of(as_store_fault(error, job.store.folder) or error)


def _logged_work(job: Job, name: str, code: Code) -> Manifest | RemoteFailure:
    with captured(job.logs, name):
        try:
            code.require()
            _require_unchanged(job)
            remember_driver(code)
            return run_stage(job, mapper=RayMapper(job.logs, name, code, job.share))
        except KeyboardInterrupt:
            sys.stderr.write("cancelled\n")
            time.sleep(ABORT_SECONDS if job.stage.resources.nested else 0)
            raise
        except SystemExit as error:  # Ray would treat it as the end of the worker
            return _logged(RuntimeError(f"the stage ended its process by sys.exit({error.code})"))
        except Exception as error:
            return _logged(error)


def _logged(error: Exception) -> RemoteFailure:
    failure = RemoteFailure.of(error)
    sys.stderr.write(f"{failure.text}\n")
    return failure


def _require_unchanged(job: Job) -> None:
    """Refuse a job whose code was edited since its key was computed; its result would be stored under the old key."""
    if changed := changed_modules(job.draft.ingredients.code):
        raise PipelineError(
            f"the code on node {platform.node()} differs from the driver's in {', '.join(changed[:5])}. "
            "Install the same version on every node, for example by `ray job submit --working-dir .`; if files were "
            "edited since the run began, start it again"
        )
