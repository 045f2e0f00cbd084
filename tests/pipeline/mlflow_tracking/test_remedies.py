"""What is said about MLflow's refusals; a server with users is tried by hand (docs/mlflow.md)."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.mlflow_tracking.client import open_client
from pipeline.mlflow_tracking.remedies import cause, check_database, check_given_database, remedy

STORE = Folder("/store")


def test_a_refused_login_names_the_variables_and_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@host:5000")
    error = RuntimeError(
        "API request to endpoint http://me:secret@host:5000/api failed with error code 401 != 200. Response body: "
        "'You are not authenticated.'\nmore"
    )
    assert "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD" in remedy(error, STORE)
    assert cause(error).endswith("failed with error code 401: 'You are not authenticated.'")
    assert "secret" not in cause(error) + remedy(error, STORE)


def test_a_user_without_permission_is_sent_to_the_administrator() -> None:
    assert "EDIT permission" in remedy(RuntimeError("failed with error code 403 != 200"), STORE)


@pytest.mark.parametrize("error", [RuntimeError("something else"), PermissionError(13, "Permission denied", "/store")])
def test_other_errors_have_no_remedy(error: Exception) -> None:
    assert remedy(error, STORE) == ""


def test_a_database_of_an_older_mlflow_is_kept_and_the_upgrade_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new, old = Folder(str(tmp_path / "new")), Folder(str(tmp_path / "old"))
    open_client(new).search_experiments(max_results=1)
    shutil.copytree(new.path, old.path)  # MLflow does not look at a database again that it has opened
    with sqlite3.connect(tmp_path / "old/mlflow.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'bd07f7e963c5'")
    with pytest.raises(PipelineError) as refused:
        check_database(old)
    assert f"`mlflow db upgrade sqlite:///{tmp_path}/old/mlflow.db`; or move the file elsewhere" in str(refused.value)
    assert "found version bd07f7e963c5" in str(refused.value)
    uri = f"sqlite:///{tmp_path}/old/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(PipelineError, match=rf"then run `mlflow db upgrade {uri}`; runs work without it"):
        check_given_database(Folder(str(tmp_path / "store")))
