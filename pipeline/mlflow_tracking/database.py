"""The SQLite file of the default tracker, created with all its tables at once; whether another database has them.

Tested in tests/pipeline/mlflow_tracking/test_database.py.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

ANSWER_SECONDS = 5
"""How long a database server may take to answer."""


def create_database(file: Path) -> None:
    """Create the file with MLflow's tables, unless it exists; at any moment it has all of them or does not exist.

    MLflow takes two seconds for them, and a file whose process died meanwhile would never be usable again.
    """
    if file.exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        content = _tables(Path(folder) / file.name)
    part = file.with_name(f"{file.name}.{uuid4().hex}.part")
    try:
        part.write_bytes(content)  # SQLite itself would withhold it from the group that shares the store
        _publish(part, file)
    finally:
        part.unlink(missing_ok=True)


def has_tables(uri: str) -> bool:
    """Whether there is a database, and MLflow's tables in it; MLflow would create both."""
    from sqlalchemy import create_engine, inspect, make_url

    url = make_url(uri)
    is_file = url.get_backend_name() == "sqlite"
    if is_file and not Path(url.database or "").exists():
        return False
    engine = create_engine(url, connect_args={} if is_file else {"connect_timeout": ANSWER_SECONDS})
    try:
        return bool(inspect(engine).has_table("alembic_version"))
    finally:
        engine.dispose()


def _publish(part: Path, file: Path) -> None:
    """Give the file its name unless another driver was faster."""
    try:
        with suppress(FileExistsError):
            os.link(part, file)
    except OSError:  # a file system without hard links
        if not file.exists():
            part.rename(file)


def _tables(file: Path) -> bytes:
    from mlflow import MlflowClient

    MlflowClient(tracking_uri=f"sqlite:///{file}").search_experiments(max_results=1)
    return file.read_bytes()
