"""Fixtures shared by all tests: the location of real data, and libraries without telemetry."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

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
    from pipeline.ray_backend import session as ray_session

    os.environ.pop("RAY_ADDRESS", None)
    ray_session.connect(cpus=2, gpus=0, dashboard=False)
    yield
    ray_session.disconnect()
