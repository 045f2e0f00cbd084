"""`ssdpipe doctor`: what it finds, the remedies, its exit code and its JSON."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from experiments.cli.doctor.software import packages
from experiments.cli.main import app

NAMES = ["version", "packages", "machine", "GPU", "Ray", "Ray token", "MLflow", "store", "data", "COCO"]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory and home, without the tester's environment."""
    for name in ("RAY_ADDRESS", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    for name in ("SSDPIPE_STORE", "SSDPIPE_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def findings(expected: int, **environment: str) -> dict[str, Any]:
    """The findings by name; the exit code must be this one."""
    done = CliRunner().invoke(app, ["doctor", "--json"], env=environment)
    assert done.exit_code == expected, done.output
    document = json.loads(done.stdout)
    assert document["ready"] == (expected == 0)
    return {each["name"]: each for each in document["checks"]}


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_a_machine_where_everything_works_is_ready_and_nothing_is_created(elsewhere: Path) -> None:
    found = findings(0)
    assert list(found) == NAMES
    assert all(each["remedy"] for each in found.values() if each["state"] != "ok")
    assert found["packages"]["facts"]["packages"]["torch"]
    assert found["store"]["facts"]["free"] > 0
    assert list(elsewhere.iterdir()) == []


def test_the_lines_fit_80_columns_and_end_with_the_remedies(elsewhere: Path) -> None:
    done = CliRunner().invoke(app, ["doctor"], env={"COLUMNS": "80"})
    long = [line for line in done.stdout.splitlines() if len(line) > 80]
    assert [line for line in long if " " in line[21:]] == []  # beside state and name only a path, which is never broken
    assert "data download voc2007" in " ".join(done.stdout.split())
    assert done.stdout.endswith("\nready\n")


def test_services_that_do_not_answer_and_a_store_that_cannot_be_made_are_problems(elsewhere: Path) -> None:
    found = findings(
        2,
        RAY_ADDRESS=f"127.0.0.1:{closed_port()}",
        MLFLOW_TRACKING_URI=f"http://user:secret@127.0.0.1:{closed_port()}",
        SSDPIPE_STORE="/proc/nowhere",
    )
    assert {name for name, each in found.items() if each["state"] == "problem"} == {"Ray", "MLflow", "store"}
    assert "ray start --head" in found["Ray"]["remedy"]
    assert "`ssdpipe sync`" in found["MLflow"]["remedy"]
    assert "SSDPIPE_STORE" in found["store"]["text"] + found["store"]["remedy"]
    assert "secret" not in json.dumps(found)


def test_a_token_that_is_absent_or_readable_by_others_is_a_problem_where_one_is_sent(elsewhere: Path) -> None:
    assert "RAY_AUTH_TOKEN_PATH" in findings(2, RAY_AUTH_MODE="token")["Ray token"]["remedy"]
    file = elsewhere / "token"
    file.write_text("secret")
    file.chmod(0o644)
    found = findings(2, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN_PATH=str(file))["Ray token"]
    assert found["remedy"] == f"chmod 600 {file}"
    assert findings(0, RAY_AUTH_TOKEN_PATH=str(file))["Ray token"]["state"] == "note"
    file.chmod(0o600)
    assert findings(0, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN_PATH=str(file))["Ray token"]["state"] == "ok"


def test_packages_that_are_absent_or_too_old_are_named_with_the_command_that_installs_them() -> None:
    found = packages(["numpy>=999", "no-such-package>=1,<2", "typer", "extra-only>=1; extra == 'dev'"])
    assert (found.state, found.remedy) == ("problem", "pip install 'numpy>=999' 'no-such-package<2,>=1'")
    assert "no-such-package is absent" in found.text
    assert packages(["typer>=0.1"]).state == "ok"


def test_published_data_in_the_data_folder_are_listed(elsewhere: Path) -> None:
    (elsewhere / "VOCdevkit/VOC2007").mkdir(parents=True)
    found = findings(0, SSDPIPE_DATA=str(elsewhere))["data"]
    assert found["facts"]["there"] == ["voc2007"]
    assert "voc2012" in found["remedy"]


def test_an_existing_mlflow_database_is_opened(elsewhere: Path) -> None:
    store = elsewhere / "store"
    store.mkdir()
    (store / "mlflow.db").write_bytes(b"not a database")
    found = findings(2, SSDPIPE_STORE=str(store))["MLflow"]
    assert "file is not a database" in found["text"]
    assert "`ssdpipe sync`" in found["remedy"]


def test_a_given_database_is_opened_and_never_created(elsewhere: Path) -> None:
    new = findings(0, MLFLOW_TRACKING_URI=f"sqlite:///{elsewhere}/tracking.db")["MLflow"]
    assert "the first run creates" in new["text"]
    assert not (elsewhere / "tracking.db").exists()
    (elsewhere / "tracking.db").write_bytes(b"not a database")
    broken = findings(2, MLFLOW_TRACKING_URI=f"sqlite:///{elsewhere}/tracking.db")["MLflow"]
    assert "file is not a database" in broken["text"]
    assert "name another one" in broken["remedy"]


def test_the_driver_that_a_given_database_lacks_is_named(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("psycopg", "psycopg2"):  # SQLAlchemy 2.1 and 2.0
        monkeypatch.setitem(sys.modules, name, None)
    found = findings(2, MLFLOW_TRACKING_URI="postgresql://me:secret@127.0.0.1:1/runs")["MLflow"]
    assert "`pip install 'psycopg" in found["remedy"]
    assert "secret" not in json.dumps(found)
