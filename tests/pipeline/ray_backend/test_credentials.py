"""Workers on other hosts get the driver's credentials for stores and trackers."""

from __future__ import annotations

import json

import pytest

from pipeline.ray_backend.session import credentials


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in credentials():
        monkeypatch.delenv(name)
    monkeypatch.delenv("RAY_JOB_CONFIG_JSON_ENV_VAR", raising=False)


def test_variables_of_stores_and_trackers_are_handed_on_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"AWS_PROFILE": "lab", "GOOGLE_APPLICATION_CREDENTIALS": "/key", "AZURE_CLIENT_ID": "me"}
    for name, value in {**given, "MLFLOW_TRACKING_URI": "http://x", "SSDPIPE_STORE": "s3://b/p"}.items():
        monkeypatch.setenv(name, value)
    assert credentials() == {**given, "MLFLOW_TRACKING_URI": "http://x"}


def test_variables_of_a_submitted_job_are_left_to_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_PROFILE", "lab")
    job = {"runtime_env": {"env_vars": {"AWS_REGION": "eu-west-1"}}, "metadata": {}}
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", json.dumps(job))
    assert credentials() == {"AWS_PROFILE": "lab"}
