"""The surroundings of a command, which runs in a subprocess: RAY_ADDRESS, temporary folder, port of `ui`, locale."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import PipelineError
from pipeline.ray_backend.reachable import check_cluster
from pipeline.ray_backend.session import connect
from tests.experiments.cli.test_main import ssdpipe

if TYPE_CHECKING:
    from tests.experiments.cli.conftest import Project

SECONDS = 30
"""Limit for a whole command, which takes three seconds on a quiet machine; Ray itself waits for minutes."""

LOCALES = (
    {"PYTHONIOENCODING": "ascii"},
    {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
)


def refusal(project: Project, where: Path, **environment: str) -> str:
    """Message of `data shard` in these surroundings; it takes seconds, exits with 2 and leaves the store untouched."""
    before, start = files(project.store), time.monotonic()
    done = ssdpipe(
        "data", "shard", str(project.data), "--gpus", "0", "--store", str(project.store), where=where, **environment
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert time.monotonic() - start < SECONDS
    assert files(project.store) == before
    return done.stderr


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


@contextmanager
def silent_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextmanager
def web_server() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@contextmanager
def token_cluster() -> Iterator[int]:
    """A gRPC server that answers like a Ray cluster to a caller without its token."""
    from concurrent.futures import ThreadPoolExecutor

    import grpc

    def refuse(_: bytes, context: grpc.ServicerContext) -> bytes:
        if dict(context.invocation_metadata()).get("authorization") != "Bearer right":
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "InvalidAuthToken")
        return b""

    handler = grpc.method_handlers_generic_handler(
        "ray.rpc.NodeInfoGcsService", {"GetClusterId": grpc.unary_unary_rpc_method_handler(refuse)}
    )
    server = grpc.server(ThreadPoolExecutor(1), handlers=[handler])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(None)


def closed_port() -> int:
    with silent_port() as port:
        return port


@pytest.mark.parametrize("form", ["127.0.0.1:{}", "localhost:{}", "ray://127.0.0.1:{}"])
def test_a_cluster_that_does_not_listen_is_absent(project: Project, tmp_path: Path, form: str) -> None:
    address = form.format(closed_port())
    message = refusal(project, tmp_path, RAY_ADDRESS=address)
    assert message == (
        f"no Ray cluster answers at RAY_ADDRESS={address}: Connection refused.\n"
        "Start one (`ray start --head`) or unset RAY_ADDRESS to run on this machine.\n"
    )


def test_a_host_name_that_does_not_resolve_is_absent(project: Project, tmp_path: Path) -> None:
    assert "no Ray cluster answers" in refusal(project, tmp_path, RAY_ADDRESS="nosuchhost.invalid:6379")


@pytest.mark.parametrize("address", ["foo", "127.0.0.1:x", "::1", "127.0.0.1:99999", "http://127.0.0.1:8265"])
def test_an_address_of_another_form_is_refused_with_the_form(project: Project, tmp_path: Path, address: str) -> None:
    assert re.search(r"HOST:PORT|<head_node_ip>:6379", refusal(project, tmp_path, RAY_ADDRESS=address))


def test_a_port_that_is_open_but_silent_is_no_cluster(project: Project, tmp_path: Path) -> None:
    with silent_port() as port:
        message = refusal(project, tmp_path, RAY_ADDRESS=f"127.0.0.1:{port}")
    assert f"port {port} is open but silent for 5 s" in message


def test_a_web_server_is_no_cluster(project: Project, tmp_path: Path) -> None:
    with web_server() as port:
        message = refusal(project, tmp_path, RAY_ADDRESS=f"127.0.0.1:{port}")
    assert f"what listens at port {port} is not Ray" in message


def test_a_cluster_that_requires_a_token_refuses_rather_than_being_absent(project: Project, tmp_path: Path) -> None:
    with token_cluster() as port:
        message = refusal(project, tmp_path, RAY_ADDRESS=f"127.0.0.1:{port}", RAY_AUTH_MODE="disabled")
    assert message.startswith(f"the Ray cluster at RAY_ADDRESS=127.0.0.1:{port} refused this process")
    assert "with RAY_AUTH_MODE=disabled none is sent" in message
    assert "RAY_AUTH_TOKEN" in message


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({}, "with RAY_AUTH_MODE=(unset) none is sent"),
        ({"RAY_AUTH_TOKEN": "right"}, "with RAY_AUTH_MODE=(unset) none is sent"),
        ({"RAY_AUTH_MODE": "token"}, "there is none here"),
        ({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "wrong"}, "the one that is set here differs"),
    ],
)
def test_a_refusal_of_the_cluster_names_its_cause(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environment: dict[str, str], reason: str
) -> None:
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**environment, "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    with token_cluster() as port, pytest.raises(PipelineError, match=re.escape(f"it requires a token, and {reason}")):
        check_cluster(f"127.0.0.1:{port}")


@contextmanager
def real_head(folder: Path, mode: str) -> Iterator[str]:
    """A head of Ray on this machine, with an address and a home of its own."""
    home, port = folder / "home", closed_port()
    home.mkdir()
    ray = Path(sys.executable).with_name("ray")
    environment = {**os.environ, "HOME": str(home), "RAY_AUTH_MODE": mode, "RAY_USAGE_STATS_ENABLED": "0"}
    if mode == "token":
        subprocess.run([ray, "get-auth-token", "--generate"], env=environment, check=True, capture_output=True)
    short = tempfile.mkdtemp(dir="/tmp")  # a path of pytest's would be too long for Ray's sockets
    start = [str(ray), "start", "--head", "--block", "--port", str(port), "--num-cpus", "1", "--temp-dir", short]
    with (folder / "log").open("wb") as log:
        head = subprocess.Popen([*start, "--include-dashboard", "false"], env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while b"Ray runtime started" not in (folder / "log").read_bytes() and time.monotonic() < deadline:
            time.sleep(0.1)
        yield f"127.0.0.1:{port}"
    finally:
        head.terminate()
        head.wait(30)
        shutil.rmtree(short, ignore_errors=True)


@pytest.mark.slow
def test_a_real_head_that_requires_a_token_refuses_within_seconds(project: Project, tmp_path: Path) -> None:
    """One whole command, which takes three seconds for its own imports."""
    with real_head(tmp_path, "token") as address:
        began = time.monotonic()
        message = refusal(project, tmp_path, RAY_ADDRESS=address, HOME=str(tmp_path / "elsewhere"))
        assert time.monotonic() - began < 15
    assert message.startswith(f"the Ray cluster at RAY_ADDRESS={address} refused this process: it requires a token")
    assert "RAY_AUTH_MODE=token" in message


@pytest.mark.slow
def test_a_real_head_that_requires_no_token_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with real_head(tmp_path, "disabled") as address:
        check_cluster(address)
        assert capsys.readouterr().err == ""  # the user's choice
        monkeypatch.delenv("RAY_AUTH_MODE")
        check_cluster(address)
    warning = capsys.readouterr().err
    assert re.fullmatch(rf"warning: the Ray cluster at RAY_ADDRESS={address} requires no token: .*\n", warning)


def test_the_token_of_the_environment_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "right")
    with token_cluster() as port:
        check_cluster(f"127.0.0.1:{port}")


@pytest.mark.parametrize("variable", ["TMPDIR", "RAY_TMPDIR"])
def test_a_temporary_folder_too_long_for_sockets_is_refused_with_its_size(
    project: Project, tmp_path: Path, variable: str
) -> None:
    folder = tmp_path / ("x" * 100)
    message = refusal(project, tmp_path, **{variable: str(folder)})
    assert f"has a path of {len(str(folder))} bytes" in message
    assert "RAY_TMPDIR=/tmp" in message
    assert not folder.exists()


def test_a_temporary_folder_of_loaders_may_be_longer_but_not_too_long(project: Project, tmp_path: Path) -> None:
    message = refusal(project, tmp_path, TMPDIR=str(tmp_path / ("x" * 100)), RAY_TMPDIR="/tmp")
    assert "TMPDIR=/tmp" in message
    assert "RAY_TMPDIR" not in message


def test_a_temporary_folder_that_cannot_be_written_is_refused(project: Project, tmp_path: Path) -> None:
    assert "/dev/null/x cannot be written (Not a directory)" in refusal(project, tmp_path, RAY_TMPDIR="/dev/null/x")
    assert "is not an absolute path" in refusal(project, tmp_path, RAY_TMPDIR="here")


def test_a_cache_whose_size_is_none_is_refused_before_anything_starts(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSDPIPE_CACHE_GB", "64GB")
    before = files(project.store)
    done = project.ssdpipe("data", "shard", str(project.data), "--gpus", "0")
    assert isinstance(done.exception, PipelineError)
    assert str(done.exception).startswith("SSDPIPE_CACHE_GB=64GB is no size: give the GB")
    assert files(project.store) == before


def test_a_taken_port_of_ui_is_refused_before_a_link_is_printed_and_a_free_one_is_proposed(project: Project) -> None:
    assert project.ssdpipe("sync").exit_code == 0
    with silent_port() as port:
        done = ssdpipe("ui", "--port", str(port), "--store", str(project.store), where=project.store)
    assert (done.returncode, done.stdout) == (2, "")
    proposed = re.fullmatch(
        rf"port {port} of 127\.0\.0\.1 is taken by another program: take another with --port (\d+)\n", done.stderr
    )
    assert proposed
    socket.create_server(("127.0.0.1", int(proposed[1]))).close()


def test_ui_refuses_an_address_of_another_machine_and_a_broken_database(project: Project) -> None:
    (project.store / "mlflow.db").write_bytes(b"not a database")
    options = ("--port", str(closed_port()), "--store", str(project.store))
    elsewhere = ssdpipe("ui", "--host", "192.0.2.77", *options, where=project.store)
    assert (elsewhere.returncode, "cannot listen on port" in elsewhere.stderr) == (2, True)
    broken = ssdpipe("ui", *options, where=project.store)
    assert (broken.returncode, broken.stdout) == (2, "")
    assert "file is not a database" in broken.stderr
    assert "`ssdpipe sync`" in broken.stderr


@pytest.fixture
def cafe(project: Project, tmp_path: Path) -> Path:
    """The project's data set, with a class and a folder whose names are not ASCII."""
    folder = project.data.rename(tmp_path / "café")
    for file in (folder / "Annotations").iterdir():
        file.write_text(file.read_text(encoding="utf-8").replace("cat", "chat→café"), encoding="utf-8")
    return folder


@pytest.mark.parametrize("locale", LOCALES)
def test_a_locale_that_cannot_print_a_name_gets_it_escaped(cafe: Path, locale: dict[str, str]) -> None:
    done = ssdpipe("data", "check", str(cafe), where=cafe.parent, **locale)
    assert done.returncode == 0, done.stderr
    assert r"chat\u2192caf\xe9" in done.stdout


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    "command", ["--help", "list", "plan ablation-layers --preset tiny --gpus 0", "recipe show ssd300-voc0712"]
)
def test_every_locale_can_print_a_command(tmp_path: Path, locale: dict[str, str], command: str) -> None:
    done = ssdpipe(*command.split(), where=tmp_path, **locale)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("locale", LOCALES)
def test_a_run_works_in_every_locale(cafe: Path, locale: dict[str, str]) -> None:
    done = ssdpipe("data", "shard", str(cafe), "--gpus", "0", where=cafe.parent, **locale)
    assert done.returncode == 0, done.stderr
    assert r"shard/caf\xe9-train" in done.stderr


def test_a_file_name_that_is_not_utf8_is_refused_by_name(project: Project, tmp_path: Path) -> None:
    folder = project.data.rename(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    done = ssdpipe("data", "check", str(folder), where=tmp_path)
    assert done.returncode == 2, done.stderr
    assert re.search(r"caf.xe9\S* is not UTF-8 text: rename the file or folder", done.stderr)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["show a", "data check s3://bucket/a", "du"])
def test_a_bucket_out_of_reach_is_a_mistake_with_its_remedy(tmp_path: Path, command: str) -> None:
    surroundings = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{closed_port()}",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "SSDPIPE_STORE": "s3://bucket/store",
    }
    done = ssdpipe(*command.split(), where=tmp_path, **surroundings)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "AWS_ENDPOINT_URL" in done.stderr


@pytest.mark.parametrize("command", ["data check ftp://host/a", "show a --store ftp://host/a"])
def test_a_scheme_that_is_not_supported_is_refused_with_those_that_are(tmp_path: Path, command: str) -> None:
    done = ssdpipe(*command.split(), where=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "ftp:// is not supported" in done.stderr
    assert "s3, gs" in done.stderr


def test_a_ray_that_does_not_start_is_a_mistake_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(PipelineError, match=r"Ray did not start on this machine: .*\n.*`ssdpipe doctor`"):
        connect(cpus=-1)
