"""Fixtures shared by all tests: the location of real data, and libraries without telemetry."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.s3_server import BUCKET, S3Server, serving

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_AUTH_MODE", "disabled")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

DATA = Path(os.environ.get("SSDPIPE_TEST_DATA", Path(__file__).parents[1] / "../shared/data"))


@pytest.fixture(autouse=True)
def _cache_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test uses another test's cached surveys of data sets, and nothing is written to the home directory."""
    monkeypatch.setenv("SSDPIPE_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """Find the folder of a real data set; skip with the reason where it is absent."""

    def find(name: str) -> Path:
        folder = (DATA / name).resolve()
        if not folder.is_dir():
            pytest.skip(f"real data {name!r} not found below {DATA} (set SSDPIPE_TEST_DATA)")
        return folder

    return find


@pytest.fixture(scope="session")
def ray_session() -> Iterator[None]:
    """One local Ray cluster with two CPUs, shared by all tests that need Ray; starting it takes five seconds."""
    from pipeline.ray_backend.leaving import disconnect
    from pipeline.ray_backend.session import connect

    os.environ.pop("RAY_ADDRESS", None)
    connect(cpus=2, gpus=0, dashboard=False)
    yield
    disconnect()


@pytest.fixture(scope="session")
def _s3_server() -> Iterator[S3Server]:
    with serving() as server:
        yield server


@pytest.fixture
def s3(_s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """An S3 server that the environment names; `s3_place` is a place on it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in _s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return _s3_server


@pytest.fixture
def s3_place(s3: S3Server) -> str:
    """URI of an empty place on the S3 server."""
    return f"s3://{BUCKET}/{uuid4().hex[:8]}"
