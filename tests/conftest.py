"""Fixtures shared by all tests: where the real data lie, and quiet libraries."""

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
    """What one test surveyed of a data set is not believed by another, and nothing is left in the tester's home."""
    monkeypatch.setenv("SSDPIPE_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """Folder of a real data set, or a skip that says what was looked for."""

    def find(name: str) -> Path:
        folder = (DATA / name).resolve()
        if not folder.is_dir():
            pytest.skip(f"real data {name!r} not found below {DATA} (set SSDPIPE_TEST_DATA)")
        return folder

    return find


@pytest.fixture(scope="session")
def ray_session() -> Iterator[None]:
    """One local Ray of two CPUs for all tests that need the real thing; its start costs five seconds."""
    from pipeline.ray_backend import session as ray_session

    os.environ.pop("RAY_ADDRESS", None)
    ray_session.connect(cpus=2, gpus=0, dashboard=False)
    yield
    ray_session.disconnect()
