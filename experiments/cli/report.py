"""`ssdpipe report`: an experiment as an HTML page, and its table as CSV and LaTeX."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli.requests import ExperimentRequest
from experiments.cli.shared.options import StorePlace

if TYPE_CHECKING:
    from experiments.framework.comparison import StoredExperiment
    from pipeline.folder import Folder
    from pipeline.store.store import Store


def report(
    request: ExperimentRequest,
    place: StorePlace,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The HTML file to write; the table's .csv and .tex go beside it."),
    ] = None,
) -> None:
    """Write an experiment's results as HTML, CSV and LaTeX.

    Uses what the store holds; rows without a result read "not run". With only a name, the options of its last run
    apply; with nothing, the last run's experiment, unless that is your own file, whose path must be typed. The page of
    changed options, such as -s or --seeds, has a digest of them in its name.
    """
    from experiments.cli.requests.recorded import resolve_request, stored_experiment
    from experiments.cli.requests.results_elsewhere import hint_if_empty
    from pipeline.errors import PipelineError
    from pipeline.folder import Folder
    from pipeline.store.store import Store
    from stages.placement import Placement

    store = Store.open(place.store)
    resolved = resolve_request(request, store)
    if not isinstance(resolved, ExperimentRequest):
        raise PipelineError(
            f"the last run, `{resolved.command}`, has no report: name an experiment, see `ssdpipe list`"
        )
    members = resolved.members()
    if out and len(members) > 1:
        raise PipelineError(f"{resolved.experiment} is {len(members)} experiments: omit --out, or name one of them")
    tables = [(member, stored_experiment(member, member.targets(Placement()), store)) for member in members]
    for member, results in tables:
        folder, stem = (Folder(str(out.resolve().parent)), out.stem) if out else default_location(member, store)
        for path in write_report(member, results, folder, stem):
            print(path)
    hint_if_empty("report", tables, store, place.store)


def refresh(request: ExperimentRequest, store: Store, *, run_id: str = "") -> str:
    """Rewrite the page at its default location if results changed, attach it to the MLflow run, and return its path."""
    from experiments.framework.comparison import StoredExperiment
    from pipeline.mlflow_tracking.recorded_runs import attach
    from stages.placement import Placement

    stored = StoredExperiment.of(request.targets(Placement()), store)
    folder, stem = default_location(request, store)
    page = f"{stem}.html"
    if not (folder.exists(page) and stored.digest.encode() in folder.read_bytes(page)):
        write_report(request, stored, folder, stem)
    path = folder.place(page)
    if run_id and folder.is_local:
        attach(store.folder, run_id, Path(path))
    return path


def default_location(request: ExperimentRequest, store: Store) -> tuple[Folder, str]:
    """Folder and stem of the page; the stem includes the user's data set and a digest of other changed options."""
    from pipeline.folder import Folder

    own_data = [Folder.at(request.data).name] if request.data else []
    return store.folder / "reports", "-".join([request.name, request.preset, *own_data, *_options_digest(request)])


def _options_digest(request: ExperimentRequest) -> list[str]:
    """A short digest of the options that change results, besides preset and data; none without such options."""
    from dataclasses import asdict, replace

    from experiments.cli.requests.recorded import settings_of
    from pipeline.keys.fingerprint import digest

    plain = asdict(settings_of(ExperimentRequest(preset=request.preset, data=request.data)))
    settings = settings_of(request)
    if settings.until_decided:  # one page, however many seeds the rows have
        settings = replace(settings, until_decided=replace(settings.until_decided, rows=()))
    changed = {name: value for name, value in asdict(settings).items() if value != plain[name]}
    return [digest(changed)[:8]] if changed else []


def write_report(request: ExperimentRequest, stored: StoredExperiment, folder: Folder, stem: str) -> list[str]:
    """Write the page, the CSV and the LaTeX table, and return their paths."""
    from experiments.cli.claims.command import judged_page
    from experiments.framework.reporting import gather
    from pipeline.mlflow_tracking.recorded_runs import recorded_runs
    from pipeline.redaction import redacted
    from stages.reporting.page import page
    from stages.tables.latex import as_latex
    from stages.tables.text import as_csv

    warnings = (f"Trained and tested on {redacted(request.data)}: the paper's numbers are for other images.",)
    runs = recorded_runs(stored.store.folder)
    verdicts = judged_page(request, stored.store).report()
    content = gather(request.load(), stored, runs, verdicts=verdicts, warnings=warnings if request.data else ())
    files = {
        f"{stem}.html": page(content),
        f"{stem}.csv": as_csv(content.table, content.lines),
        f"{stem}.tex": as_latex(content.table, content.lines),
    }
    for name, text in files.items():
        folder.replace(name, text.encode())
    return [folder.place(name) for name in files]
