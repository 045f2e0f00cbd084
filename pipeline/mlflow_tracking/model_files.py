"""The file of weights behind an MLflow model URI: `models:/name/1`, `models:/m-id`, `runs:/id`, `runs:/id/path`.

Models of this project record where their file lies in the store; those of others hold it as an artifact.

Tested in tests/experiments/framework/test_detectors.py.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.mlflow_tracking.client import DATABASE, home, open_client, tracking_uri
from pipeline.mlflow_tracking.models import FILE, STEP
from pipeline.redaction import redacted


def model_file(store: Folder, uri: str, default: str) -> str:
    """Local path of the weights; `default` is the name sought where an artifact is a folder.

    Raises PipelineError when the tracker has no such model, or the file is gone.
    """
    if tracking_uri(store).startswith("sqlite:///") and not Path(tracking_uri(store)[10:]).exists():
        raise PipelineError(
            f"{uri} is sought in MLflow, but {home(store) / DATABASE} does not exist: name the store with --store, "
            "or the tracker with MLFLOW_TRACKING_URI"
        )
    try:
        client = open_client(store)
        return _recorded(client, uri) or _downloaded(store, uri, default)
    except PipelineError:
        raise
    except Exception as error:  # MLflow and its back ends have their own
        reason = redacted(str(error)).strip().partition("\n")[0] or type(error).__name__
        raise PipelineError(f"MLflow has no weights at {uri}: {reason}") from error


def _recorded(client: Any, uri: str) -> str:
    """Where a model of this project says its file is; empty for a model of others."""
    scheme, _, rest = uri.partition(":/")
    name, _, version = rest.strip("/").partition("/")
    if scheme == "runs":
        models = [] if version else _of_run(client, name)
        found = max(models, key=lambda model: int(model.tags.get(STEP, -1)), default=None)
    elif version or "@" in name:
        model = re.search(r"/(m-\w+)(/|$)", str(_version(client, name, version).source))
        found = client.get_logged_model(model[1]) if model else None  # a version in SQLite has no model_id
    else:
        found = client.get_logged_model(name)
    file = found.tags.get(FILE, "") if found else ""
    if file and not Path(file).is_file():
        raise PipelineError(f"{uri} is the file {file}, which does not exist here")
    return str(file)


def _of_run(client: Any, run: str) -> list[Any]:
    outputs = client.get_run(run).outputs
    return [client.get_logged_model(item.model_id) for item in (outputs.model_outputs if outputs else ())]


def _version(client: Any, name: str, version: str) -> Any:
    """A registered version: by its number, `latest`, or the alias in `name@alias`."""
    if "@" in name:
        return client.get_model_version_by_alias(*name.split("@", 1))
    if version == "latest":
        found = client.search_model_versions(f"name = '{name}'")
        return client.get_model_version(name, max(int(each.version) for each in found))
    return client.get_model_version(name, version)


def _downloaded(store: Folder, uri: str, default: str) -> str:
    from mlflow.artifacts import download_artifacts

    path = Path(download_artifacts(artifact_uri=uri, tracking_uri=tracking_uri(store)))
    files = [path] if path.is_file() else sorted(path.rglob(default)) or sorted(path.rglob("*.pt"))
    if not files:
        raise PipelineError(f"{uri} holds no {default}")
    return str(files[0])
