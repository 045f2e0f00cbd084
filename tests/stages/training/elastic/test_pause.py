from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from pipeline.folder import Folder
from stages.training.elastic.pause import POLL_SECONDS, Pausing, request_pause, withdraw_pause


def test_a_pause_is_noticed_by_the_next_poll_and_a_stop_of_the_run_at_once(tmp_path: Path):
    now, stopped = [0.0], [False]
    work = Folder(str(tmp_path))
    pausing = Pausing(work, lambda: stopped[0], clock=lambda: now[0])
    assert not pausing()
    request_pause(work)
    assert not pausing()
    now[0] += POLL_SECONDS
    assert pausing()
    withdraw_pause(work)
    fresh = Pausing(work, lambda: stopped[0], clock=lambda: now[0])
    assert not fresh()
    stopped[0] = True
    assert fresh()


PROCESS = """
import sys, time
from pipeline.folder import Folder
from stages.training.elastic.pause import pause_on_sigterm
pause_on_sigterm(Folder(sys.argv[1]))
print("ready", flush=True)
time.sleep(60)
"""


def test_the_first_sigterm_of_a_worker_requests_a_pause_and_the_second_ends_it(tmp_path: Path):
    worker = subprocess.Popen([sys.executable, "-c", PROCESS, tmp_path], stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    assert worker.stdout.readline() == "ready\n"
    os.kill(worker.pid, signal.SIGTERM)
    while not (tmp_path / "pause").exists():
        assert worker.poll() is None
    os.kill(worker.pid, signal.SIGTERM)
    assert worker.wait(10) == -signal.SIGTERM
