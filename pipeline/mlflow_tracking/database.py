"""The SQLite file of the default tracker: created with all its tables at once.

Tested in tests/pipeline/mlflow_tracking/test_database.py.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from uuid import uuid4


def create_database(file: Path) -> None:
    """Create the file with MLflow's tables, unless it exists; at any moment it has all of them or does not exist.

    MLflow takes two seconds for them, and a file whose process died meanwhile would never be usable again.
    """
    if file.exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        content = _tables(Path(folder) / file.name)
    part = file.with_name(f"{file.name}.{uuid4().hex}.part")
    part.write_bytes(content)  # SQLite itself would withhold it from the group that shares the store
    try:
        with suppress(FileExistsError):  # another driver was faster
            os.link(part, file)
    except OSError:  # a file system without hard links
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)


def _tables(file: Path) -> bytes:
    from mlflow import MlflowClient

    MlflowClient(tracking_uri=f"sqlite:///{file}").search_experiments(max_results=1)
    return file.read_bytes()
