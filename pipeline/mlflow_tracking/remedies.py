"""What the user can do about an error of MLflow: a refused login, a database that is old, damaged or locked.

Tested in tests/pipeline/mlflow_tracking/test_remedies.py.
"""

from __future__ import annotations

import os
import re

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.mlflow_tracking.client import DATABASE, home, open_client, shown_uri, tracking_uri
from pipeline.mlflow_tracking.database import has_tables
from pipeline.redaction import redacted

NOT_LOGGED_IN = re.compile(r"error code 401\b|not authenticated", re.IGNORECASE)
NOT_PERMITTED = re.compile(r"error code 403\b|PERMISSION_DENIED")
OLDER_DATABASE = "out-of-date database schema"
DRIVERS = {"psycopg": "psycopg[binary]", "psycopg2": "psycopg2-binary", "MySQLdb": "mysqlclient"}
"""Packages by the name of their module, where it is another one."""

BROKEN_DATABASE = re.compile(r"not a database|malformed|already exists|no such (?:table|column)")
"""Messages of SQLite about a file that no later attempt will read."""


def cause(error: BaseException) -> str:
    """The first line of an error, without secrets, and without the page that a server may send along."""
    line = redacted(str(error)).strip().partition("\n")[0]
    return re.sub(r" != 200\. Response body: ", ": ", line) or type(error).__name__


def remedy(error: BaseException, store: Folder) -> str:
    """The remedy as a sentence without its full stop; empty for an error of another cause."""
    text = str(error)
    if NOT_LOGGED_IN.search(text):
        return (
            "The server refuses this user: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or "
            "MLFLOW_TRACKING_TOKEN"
        )
    if NOT_PERMITTED.search(text):
        return "The server does not permit this user to write there: ask its administrator for EDIT permission"
    if isinstance(error, ModuleNotFoundError):
        return f"Install the driver of this database, `pip install '{DRIVERS.get(error.name or '', error.name)}'`"
    if OLDER_DATABASE in text:
        return f"Back the database up, then run `mlflow db upgrade {shown_uri(store)}`"
    if "database is locked" in text:
        return f"Another process holds the database {shown_uri(store)}: end it"
    if _is_broken(error):
        return f"Move {home(store) / DATABASE} elsewhere: `ssdpipe sync` records the results of the store in a new one"
    return ""


def _is_broken(error: BaseException) -> bool:
    """Whether the default tracker's database is damaged."""
    return not os.environ.get("MLFLOW_TRACKING_URI") and bool(BROKEN_DATABASE.search(str(error)))


def check_database(store: Folder) -> None:
    """Raise PipelineError when MLflow cannot read the default tracker's database."""
    try:
        open_client(store).search_experiments(max_results=1)
    except Exception as error:  # MLflow, SQLAlchemy and SQLite have their own
        advice = "" if _is_broken(error) else remedy(error, store)
        raise PipelineError(
            f"MLflow cannot read {home(store) / DATABASE}: {cause(error)}\n"
            + (f"{advice}; or move" if advice else "Move")
            + " the file elsewhere: `ssdpipe sync` records the results of the store in a new one."
        ) from error


def check_given_database(store: Folder) -> None:
    """Raise PipelineError when the database of `MLFLOW_TRACKING_URI` cannot be opened, or MLflow refuses it.

    Nothing is created in a database without MLflow's tables.
    """
    try:
        if has_tables(tracking_uri(store)):
            open_client(store).search_experiments(max_results=1)
    except Exception as error:
        raise PipelineError(
            f"MLFLOW_TRACKING_URI={shown_uri(store)} cannot be used: {cause(error)}\n"
            f"{remedy(error, store) or 'Start this database, correct its URI or name another one'}; runs work without "
            "it, and `ssdpipe sync` records them later"
        ) from error


def check_server(store: Folder) -> None:
    """Raise PipelineError when the server of `MLFLOW_TRACKING_URI`, which answers, refuses this user."""
    try:
        open_client(store).search_experiments(max_results=1)
    except Exception as error:
        raise PipelineError(
            f"MLFLOW_TRACKING_URI={shown_uri(store)} refuses: {cause(error)}\n"
            f"{remedy(error, store) or 'See the log of the server'}"
        ) from error
