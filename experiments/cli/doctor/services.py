"""Ray with its token, and MLflow.

Tested in tests/experiments/cli/test_doctor.py.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from experiments.cli.doctor.finding import Finding, State, refusal
from pipeline.redaction import redacted

if TYPE_CHECKING:
    from pipeline.folder import Folder

ANSWER_SECONDS = 5.0


def ray() -> Finding:
    """The cluster of RAY_ADDRESS, or the places where a session on this machine is kept."""
    from pipeline.ray_backend.session import check_surroundings

    address = os.environ.get("RAY_ADDRESS", "")
    facts = {"address": address or None}
    if found := refusal("Ray", check_surroundings, facts):
        return found
    text = f"a cluster answers at {address}" if address else "each run starts a session of its own on this machine"
    return Finding(name="Ray", text=text, facts=facts)


def ray_token() -> Finding:
    """The token that joins a cluster, and that nobody else can read it."""
    from pipeline.ray_backend.token_file import OTHERS, token, token_file, token_mode

    file = token_file()
    facts = {"mode": os.environ.get("RAY_AUTH_MODE"), "file": str(file) if file.exists() else None}
    if file.exists() and file.stat().st_mode & OTHERS:
        state: State = "problem" if token_mode() else "note"
        text = f"others can read the token in {file}"
        return Finding(name="Ray token", state=state, text=text, remedy=f"chmod 600 {file}", facts=facts)
    if token_mode() and not token():
        remedy = "Set RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH to what `ray get-auth-token` prints on the cluster"
        text = "RAY_AUTH_MODE=token, and there is no token here"
        return Finding(name="Ray token", state="problem", text=text, remedy=remedy, facts=facts)
    if token_mode():
        return Finding(name="Ray token", text="is sent to the cluster (RAY_AUTH_MODE=token)", facts=facts)
    return Finding(name="Ray token", text="none is sent; on this machine, Ray makes its own", facts=facts)


def mlflow(store: Folder) -> Finding:
    """Whether MLflow answers where runs are recorded, to this user. Creates nothing."""
    from pipeline.mlflow_tracking.client import DATABASE, DATABASES, home, shown_uri
    from pipeline.mlflow_tracking.remedies import check_database, check_server

    facts = {"uri": shown_uri(store)}
    if (server := os.environ.get("MLFLOW_TRACKING_URI", "")).startswith(DATABASES):
        return _database(store, facts)
    if server:
        return _server(server, facts) or refusal("MLflow", lambda: check_server(store), facts) or _answers(facts)
    if not (database := home(store) / DATABASE).exists():
        return Finding(name="MLflow", text=f"the first run creates {database}", facts=facts)
    if found := refusal("MLflow", lambda: check_database(store), facts):
        return found
    return Finding(name="MLflow", text=f"records in {database}", facts=facts)


def _database(store: Folder, facts: dict[str, str]) -> Finding:
    """The database that is named in place of a server."""
    from pipeline.mlflow_tracking.client import tracking_uri
    from pipeline.mlflow_tracking.database import has_tables
    from pipeline.mlflow_tracking.remedies import check_given_database

    if found := refusal("MLflow", lambda: check_given_database(store), facts):
        return found
    if has_tables(tracking_uri(store)):
        return _answers(facts)
    text = f"the first run creates MLflow's tables in MLFLOW_TRACKING_URI={facts['uri']}"
    return Finding(name="MLflow", text=text, facts=facts)


def _answers(facts: dict[str, str]) -> Finding:
    return Finding(name="MLflow", text=f"MLFLOW_TRACKING_URI={facts['uri']} answers", facts=facts)


def _server(uri: str, facts: dict[str, str]) -> Finding | None:
    """The finding if nobody answers, which MLflow itself would take long to say, or if it is no server."""
    from urllib.error import HTTPError
    from urllib.request import urlopen

    if not uri.startswith(("http://", "https://")):  # a folder, or a tracker of a plugin
        return Finding(name="MLflow", text=f"records in MLFLOW_TRACKING_URI={redacted(uri)}", facts=facts)
    shown = f"MLFLOW_TRACKING_URI={redacted(uri)}"
    try:
        urlopen(f"{uri.rstrip('/')}/health", timeout=ANSWER_SECONDS).close()
    except HTTPError:
        pass  # a server that wants a password, or has another page there
    except (OSError, ValueError) as error:
        remedy = "Start it or unset MLFLOW_TRACKING_URI; runs work without it, and `ssdpipe sync` records them later"
        reason = redacted(str(getattr(error, "reason", error)))
        return Finding(
            name="MLflow", state="problem", text=f"{shown} does not answer: {reason}", remedy=remedy, facts=facts
        )
    return None
