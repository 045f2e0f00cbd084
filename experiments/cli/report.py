"""`ssdpipe report`: an experiment as a page, and its table in the forms that papers take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli.requests import ExperimentRequest
from experiments.cli.shared.options import StorePlace

if TYPE_CHECKING:
    from experiments.framework.comparison import Held
    from pipeline.folder import Folder
    from pipeline.store.store import Store


def report(
    request: ExperimentRequest,
    place: StorePlace,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The page; .csv and .tex of its table are put beside it.")
    ] = None,
) -> None:
    """Write what the store holds of an experiment as one HTML page, with CSV and LaTeX of its table.

    Rows that were not run say so. Given only a name, the options are those of its last run; given nothing, it
    is the last run's experiment.
    """
    from experiments.cli.requests.recorded import held, meant
    from pipeline.errors import PipelineError
    from pipeline.folder import Folder
    from pipeline.store.store import Store
    from stages.placement import Placement

    store = Store.open(place.store)
    found = meant(request, store)
    if not isinstance(found, ExperimentRequest):
        raise PipelineError(f"the last run, `{found.command}`, has no report: name an experiment, see `ssdpipe list`")
    members = found.members()
    if out and len(members) > 1:
        raise PipelineError(f"{found.experiment} is {len(members)} experiments: leave --out away, or name one of them")
    for member in members:
        results = held(member, member.targets(Placement()), store)
        folder, stem = (Folder(str(out.resolve().parent)), out.stem) if out else usual_place(member, store)
        for path in write_report(member, results, folder, stem):
            print(path)


def refresh(request: ExperimentRequest, store: Store, *, run_id: str = "") -> str:
    """Path of the page at its usual place, written anew if results have changed; put beside that run in MLflow."""
    from experiments.framework.comparison import Held
    from pipeline.mlflow_tracking.recorded_runs import attach
    from stages.placement import Placement

    held = Held.of(request.targets(Placement()), store)
    folder, stem = usual_place(request, store)
    page = f"{stem}.html"
    if not (folder.exists(page) and held.digest.encode() in folder.read_bytes(page)):
        write_report(request, held, folder, stem)
    path = f"{folder.path}/{page}"
    if run_id and folder.is_local:
        attach(store.folder, run_id, Path(path))
    return path


def usual_place(request: ExperimentRequest, store: Store) -> tuple[Folder, str]:
    """Folder, and the name of the page without its suffix; another for each name of a data set of the user's."""
    own_data = [Path(request.data).resolve().name] if request.data else []
    return store.folder / "reports", "-".join([request.name, request.preset, *own_data])


def write_report(request: ExperimentRequest, held: Held, folder: Folder, stem: str) -> list[str]:
    """Paths of the page and of the table's other forms."""
    from experiments.framework.reporting import gather
    from pipeline.mlflow_tracking.recorded_runs import recorded_runs
    from stages.reporting.page import page
    from stages.tables.latex import as_latex
    from stages.tables.text import as_csv

    warnings = (f"Trained and tested on {request.data}: the paper's numbers are of other images.",)
    runs = recorded_runs(held.store.folder)
    gathered = gather(request.found(), held, runs, warnings=warnings if request.data else ())
    contents = {
        f"{stem}.html": page(gathered),
        f"{stem}.csv": as_csv(gathered.table, gathered.lines),
        f"{stem}.tex": as_latex(gathered.table, gathered.lines),
    }
    for name, content in contents.items():
        folder.replace(name, content.encode())
    return [f"{folder.path}/{name}" for name in contents]
