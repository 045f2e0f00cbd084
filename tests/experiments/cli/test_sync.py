"""`ssdpipe sync`: a record of what the store holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow import MlflowClient

if TYPE_CHECKING:
    import pytest
    from conftest import Begun


def test_the_results_of_the_last_run_are_recorded_where_mlflow_is_told_to(
    begun: Begun, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"sqlite:///{begun.store.parent}/elsewhere.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", place)
    done = begun.ssdpipe("sync")
    assert (done.exit_code, done.stdout) == (0, f"2 of 5 results of ssd-tiny are in {place}\n")  # both sets of shards
    assert MlflowClient(place).get_experiment_by_name("ssd-tiny") is not None
