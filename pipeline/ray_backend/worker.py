"""What a Ray worker does with a job: check that it has the driver's code, run the stage, keep its log.

Nothing here imports torch: a worker that only shards images never pays for it.

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
from pipeline.store.store import Manifest, log_name

ABORT_SECONDS = 5.0
"""How long a cancelled stage with workers of its own stays, so that its trainer can give them back."""


def work(job: Job) -> Manifest | RemoteFailure:
    """Run and commit the job's stage; its manifest, or the failure that its code raised.

    A cancelled job raises KeyboardInterrupt, which Ray tells as TaskCancelledError.
    """
    hear_cancel()
    name = log_name(job.address)
    with captured(job.logs, name):
        try:
            _require_same_code(job)
            return run_stage(job, mapper=RayMapper(job.logs, name))
        except KeyboardInterrupt:
            sys.stderr.write("cancelled\n")
            time.sleep(ABORT_SECONDS if job.stage.resources.nested else 0)
            raise
        except SystemExit as error:  # Ray would take it for the end of the worker
            return _told(RuntimeError(f"the stage ended its process by sys.exit({error.code})"))
        except Exception as error:
            return _told(error)


def _told(error: Exception) -> RemoteFailure:
    failure = RemoteFailure.of(error)
    sys.stderr.write(f"{failure.text}\n")
    return failure


def _require_same_code(job: Job) -> None:
    """Without this a node with an older checkout would compute, and store under the new key, the old thing."""
    if changed := changed_modules(job.draft.ingredients.code):
        raise PipelineError(
            f"node {platform.node()} has other code than the driver in {', '.join(changed[:5])}. "
            "Bring the same version to every node, for example by `ray job submit --working-dir .`; if files were "
            "edited since the run began, start it again"
        )
