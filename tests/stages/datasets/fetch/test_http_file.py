"""Downloads from a real local server that drops connections, ignores ranges, or serves another file."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.errors import PipelineError
from stages.datasets.fetch.http_file import TRIES, fetch

CONTENT = bytes(range(256)) * 4000  # 1,024,000 bytes, four chunks
MD5 = hashlib.md5(CONTENT).hexdigest()


@dataclass
class Server:
    """How the server behaves, and the ranges that were requested from it."""

    url: str = ""
    ranges: bool = True
    break_after: list[int] = field(default_factory=list)
    """Number of body bytes that each of the first responses sends before the connection is closed."""

    hang_after: int = 0
    """Number of bytes after which the first response waits for `released`."""

    released: threading.Event = field(default_factory=threading.Event)
    status: int = 0
    asked: list[str | None] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            state.asked.append(asked)
            if state.status:
                return self.send_error(state.status)
            first = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked and state.ranges else 0
            if first >= len(CONTENT):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
                return self.end_headers()
            body = CONTENT[first:]
            self.send_response(206 if asked and state.ranges else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if state.hang_after and not asked:
                self.wfile.write(body[: state.hang_after])
                state.released.wait(60)
                return None
            self.wfile.write(body[: state.break_after.pop(0)] if state.break_after else body)
            return None

        def log_message(self, *arguments: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *arguments: object) -> None:
            """Clients that hang up are part of the tests."""

    with Quiet(("127.0.0.1", 0), Handler) as running:
        state.url = f"http://127.0.0.1:{running.server_port}/a.tar"
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        running.shutdown()
        thread.join()


def bring(server: Server, target: Path, md5: str | None = MD5) -> list[tuple[int, int | None]]:
    reports: list[tuple[int, int | None]] = []
    fetch(server.url, target, md5=md5, progress=lambda done, total: reports.append((done, total)), pause=0.0)
    return reports


def test_a_whole_file_arrives_under_its_name_and_reports_progress(server: Server, tmp_path: Path) -> None:
    reports = bring(server, tmp_path / "deep" / "a.tar")
    assert (tmp_path / "deep" / "a.tar").read_bytes() == CONTENT
    assert reports[-1] == (len(CONTENT), len(CONTENT))
    assert len(reports) > 1
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a.tar"]


def test_a_broken_download_resumes_where_it_broke(server: Server, tmp_path: Path) -> None:
    server.break_after = [300_000, 200_000]
    bring(server, tmp_path / "a.tar")
    assert server.asked == [None, "bytes=300000-", "bytes=500000-"]
    assert (tmp_path / "a.tar").read_bytes() == CONTENT


def test_the_next_command_continues_from_what_a_killed_one_left(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.tar.part").write_bytes(CONTENT[:400_001])
    reports = bring(server, tmp_path / "a.tar")
    assert server.asked == ["bytes=400001-"]
    assert reports[0][0] > 400_001
    assert reports[-1] == (len(CONTENT), len(CONTENT))
    assert (tmp_path / "a.tar").read_bytes() == CONTENT


def test_a_killed_process_loses_only_what_it_had_not_written(server: Server, tmp_path: Path) -> None:
    server.hang_after = 600_000
    target, part = tmp_path / "a.tar", tmp_path / "a.tar.part"
    program = (
        "import sys, pathlib; from stages.datasets.fetch.http_file import fetch; "
        "fetch(sys.argv[1], pathlib.Path(sys.argv[2]), md5=None, progress=lambda done, total: None)"
    )
    process = subprocess.Popen([sys.executable, "-c", program, server.url, str(target)])
    deadline = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size >= 500_000) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.wait()
    server.released.set()
    kept = part.stat().st_size
    assert 500_000 <= kept <= 600_000
    bring(server, target)
    assert server.asked == [None, f"bytes={kept}-"]
    assert target.read_bytes() == CONTENT


def test_without_range_support_the_download_restarts_from_zero(server: Server, tmp_path: Path) -> None:
    server.ranges = False
    (tmp_path / "a.tar.part").write_bytes(b"something else" * 1000)
    bring(server, tmp_path / "a.tar")
    assert (tmp_path / "a.tar").read_bytes() == CONTENT


def test_a_complete_part_becomes_the_file(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.tar.part").write_bytes(CONTENT)
    bring(server, tmp_path / "a.tar")
    assert server.asked == [f"bytes={len(CONTENT)}-"]
    assert (tmp_path / "a.tar").read_bytes() == CONTENT


def test_a_part_longer_than_the_file_is_discarded(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.tar.part").write_bytes(CONTENT + b"more")
    bring(server, tmp_path / "a.tar")
    assert (tmp_path / "a.tar").read_bytes() == CONTENT


def test_a_wrong_checksum_is_reported_with_both_values_and_nothing_is_kept(server: Server, tmp_path: Path) -> None:
    wrong = hashlib.md5(b"").hexdigest()
    with pytest.raises(PipelineError, match=f"MD5 {MD5}, but the published one is {wrong}"):
        bring(server, tmp_path / "a.tar", md5=wrong)
    assert list(tmp_path.iterdir()) == []


def test_a_file_missing_on_the_server_fails_at_once(server: Server, tmp_path: Path) -> None:
    server.status = 404
    with pytest.raises(PipelineError, match="404"):
        bring(server, tmp_path / "a.tar")
    assert len(server.asked) == 1


def test_a_failing_server_is_retried_a_few_times(server: Server, tmp_path: Path) -> None:
    server.status = 503
    with pytest.raises(PipelineError, match="run the command again to continue"):
        bring(server, tmp_path / "a.tar")
    assert len(server.asked) == TRIES


def test_interruptions_with_progress_between_them_do_not_use_up_the_tries(server: Server, tmp_path: Path) -> None:
    server.break_after = [100_000] * (TRIES + 3)
    bring(server, tmp_path / "a.tar")
    assert (tmp_path / "a.tar").read_bytes() == CONTENT


def test_a_disk_that_is_too_small_is_refused_before_the_first_byte(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "stages.datasets.fetch.http_file.shutil.disk_usage", lambda place: type("Usage", (), {"free": 1000})()
    )
    with pytest.raises(PipelineError, match=r"needs 0\.0 GB more"):
        bring(server, tmp_path / "a.tar")
    assert not (tmp_path / "a.tar.part").exists()
