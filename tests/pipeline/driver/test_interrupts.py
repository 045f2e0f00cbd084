from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from pipeline.driver.interrupts import hangup_held, stopping_on_signals
from pipeline.execution.stopping import CANCEL_SECONDS


@pytest.fixture
def heard() -> Iterator[None]:
    """A hangup is not ignored, as it is when the tests run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_two_signals_ask_to_stop_and_the_third_interrupts(number, heard):
    asked: list[int] = []

    def thrice() -> None:
        with stopping_on_signals(lambda: asked.append(1)):
            for _ in range(3):
                os.kill(os.getpid(), number)

    with pytest.raises(KeyboardInterrupt):
        thrice()
    assert len(asked) == 2


def test_previous_handlers_are_restored_afterwards():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with stopping_on_signals(lambda: None):
        assert signal.getsignal(signal.SIGTERM) not in before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_hangup_stays_ignored_under_nohup():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopping_on_signals(lambda: pytest.fail("stopped")):
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_processes_started_while_a_hangup_is_held_never_see_it_and_this_one_sees_it_afterwards():
    seen: list[str] = []
    before = signal.signal(signal.SIGHUP, lambda *_: seen.append("hangup"))
    try:
        with hangup_held():
            child = subprocess.Popen([sys.executable, "-c", "input(); print('alive')"], stdin=-1, stdout=-1, text=True)
            signal.pthread_kill(threading.get_ident(), signal.SIGHUP)  # threads of earlier tests do not hold it
            seen.append("held")
        assert seen == ["held", "hangup"]
        child.send_signal(signal.SIGHUP)
        assert child.communicate("\n", timeout=20)[0] == "alive\n"
    finally:
        signal.signal(signal.SIGHUP, before)


RUN = """
import sys, time
from dataclasses import dataclass
from pipeline.errors import Interrupted
from pipeline.store.events import EventLog
from pipeline.planning.graph import Graph
from pipeline.driver.interrupts import stopping_on_signals
from pipeline.ray_backend.executor import RayExecutor
from pipeline.ray_backend.session import connect
from pipeline.planning.resolver import Resolver
from pipeline.execution.scheduler import Scheduler
from pipeline.stage import Stage
from pipeline.store.store import Store

@dataclass(frozen=True, kw_only=True)
class Sleeps(Stage):
    def run(self, ctx):
        ctx.work.write_bytes("checkpoint", b"half")
        for _ in range(600):
            time.sleep(0.1)  # a cancel is seen between two calls, not inside one

store, graph = Store.open(sys.argv[1]), Graph([Sleeps()])
connect(cpus=1, dashboard=False)
scheduler = Scheduler(graph, store, RayExecutor(), Resolver(graph), run_id="r", observers=[EventLog(store.run("r"))])
try:
    with stopping_on_signals(scheduler.stop):
        scheduler.run()
except Interrupted as stopped:
    sys.exit(stopped.exit_code)
"""


def _as_in_the_background() -> None:
    """What a shell does to `command &` in a script; Ray's workers inherit it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def test_sigterm_ends_a_run_on_ray_with_130_and_leaves_a_checkpoint_to_resume_from(tmp_path):
    script, store = tmp_path / "run.py", tmp_path / "store"
    script.write_text(RUN)
    process = subprocess.Popen(
        [sys.executable, str(script), str(store)],
        env={**os.environ, "RAY_ADDRESS": ""},
        preexec_fn=_as_in_the_background,
    )
    try:
        _wait_for(lambda: list(store.glob("work/*/checkpoint")))
        process.terminate()
        assert process.wait(CANCEL_SECONDS - 5) == 130  # cancelled, not killed
    finally:
        process.kill()
    assert '"kind": "cancelled"' in (store / "runs/r/events.jsonl").read_text()
    assert len(list(store.glob("work/*/checkpoint"))) == 1
    assert not list(store.glob("keys/*"))


def _wait_for(there, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, f"not there after {seconds} s"
        time.sleep(0.1)
