"""`ssdpipe ui`: serve MLflow on a store's database."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from experiments.cli.shared.options import StorePlace


def ui(
    place: StorePlace,
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 5000,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 accepts other machines.")] = "127.0.0.1",
) -> None:
    """Serve MLflow on the runs of this store.

    If MLFLOW_TRACKING_URI is set, runs are recorded there; the command then prints that address and serves nothing.
    """
    from pipeline.errors import PipelineError
    from pipeline.mlflow_tracking.client import ENVIRONMENT, home, tracking_uri
    from pipeline.mlflow_tracking.recorded_runs import experiment_pages
    from pipeline.store.store import Store

    if server := os.environ.get("MLFLOW_TRACKING_URI"):
        print(f"runs are recorded at MLFLOW_TRACKING_URI={server}")
        return
    store = Store.open(place.store).folder
    database = home(store) / "mlflow.db"
    if not database.exists():
        raise PipelineError(
            f"nothing is recorded in {database} yet: `ssdpipe run` and `ssdpipe train` record their runs there"
        )
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    print(f"MLflow on http://{host}:{port} (Ctrl-C stops it)")
    for name, page in experiment_pages(store, f"http://{host}:{port}").items():
        print(f"  {name}: {page}")
    sys.stdout.flush()  # this process becomes the server
    serve = [
        "server",
        "--backend-store-uri",
        tracking_uri(store),
        "--workers",
        "1",
        "--host",
        host,
        "--port",
        str(port),
    ]
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", *serve])
