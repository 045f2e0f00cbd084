"""`ssdpipe ui`: serve MLflow on a store's database."""

from __future__ import annotations

import errno
import os
import socket
import sys
from typing import Annotated

import typer

from experiments.cli.shared.options import StorePlace
from pipeline.errors import PipelineError
from pipeline.redaction import redacted


def ui(
    place: StorePlace,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 5000,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 accepts other machines.")] = "127.0.0.1",
) -> None:
    """Serve MLflow on the runs of this store.

    If MLFLOW_TRACKING_URI is set, runs are recorded there; the command then prints that address and serves nothing.
    """
    from pipeline.mlflow_tracking.client import DATABASE, ENVIRONMENT, home, tracking_uri
    from pipeline.mlflow_tracking.recorded_runs import experiment_pages
    from pipeline.mlflow_tracking.remedies import check_database
    from pipeline.store.store import Store

    if server := os.environ.get("MLFLOW_TRACKING_URI"):
        print(f"runs are recorded at MLFLOW_TRACKING_URI={redacted(server)}")
        return
    store = Store.open(place.store).folder
    database = home(store) / DATABASE
    if not database.exists():
        raise PipelineError(
            f"nothing is recorded in {database} yet: `ssdpipe run` and `ssdpipe train` record their runs there"
        )
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    _refuse_taken_port(host, port)
    check_database(store)
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    print(f"MLflow on {address} (Ctrl-C stops it)")
    for name, pages in experiment_pages(store, address).items():
        print(f"  {name}: {pages.runs}")
        print(f"    best first, settings that differ: {pages.best_first}")
        print(f"    chart: {pages.chart}")
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


def _refuse_taken_port(host: str, port: int) -> None:
    """Raise PipelineError where the server could not listen; MLflow would restart its worker there forever."""
    try:
        _listen(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = f"port {port} of {host} is taken by another program: take another with --port {_free(host, port)}"
        else:
            cause = (error.strerror or str(error)).partition(" (while")[0]
            message = f"MLflow cannot listen on port {port} of {host}: {cause}. Choose another --host or --port"
        raise PipelineError(message) from None


def _free(host: str, taken: int) -> int:
    """The next free port, else one that the system picks."""
    for port in range(taken + 1, min(taken + 100, 65536)):
        try:
            return _listen(host, port)
        except OSError:
            continue
    return _listen(host, 0)


def _listen(host: str, port: int) -> int:
    """Listen for a moment; return the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as server:
        return int(server.getsockname()[1])
