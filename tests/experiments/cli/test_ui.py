"""`ssdpipe ui`: MLflow's server on the store's database."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING
from urllib.error import URLError

import pytest

if TYPE_CHECKING:
    from tests.experiments.cli.conftest import Project


def test_a_given_tracking_uri_is_printed_instead_of_served(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracker:5000")
    done = project.ssdpipe("ui")
    assert (done.exit_code, done.stdout) == (0, "runs are recorded at MLFLOW_TRACKING_URI=http://tracker:5000\n")


@pytest.mark.slow
def test_the_pages_of_the_store_s_experiments_are_printed_and_served(project: Project) -> None:
    assert project.ssdpipe("sync").exit_code == 0
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    ui = [sys.executable, "-c", "from experiments.cli.main import main; main()", "ui", "--port", str(port)]
    server = subprocess.Popen(
        [*ui, "--store", str(project.store)], stdout=subprocess.PIPE, text=True, env=kept, start_new_session=True
    )
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == f"MLflow on http://127.0.0.1:{port} (Ctrl-C stops it)\n"
        assert server.stdout.readline().startswith(f"  ssd-tiny: http://127.0.0.1:{port}/#/experiments/")
        assert answer(f"http://127.0.0.1:{port}/health") == b"OK"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


def answer(address: str) -> bytes:
    deadline = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5) as page:
                return bytes(page.read())
        except (URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
