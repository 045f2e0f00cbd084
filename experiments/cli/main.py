"""The command `ssdpipe`: assembles its subcommands and turns errors into exit codes.

2 for an error that the user can fix, 1 for a failed stage, 130 after Ctrl-C; a bug in ssdpipe keeps its traceback.
"""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout
from typing import Annotated, NoReturn, TextIO, cast

import typer

from experiments.cli import evaluate, new, recipe, weights
from experiments.cli.analyze import analyze
from experiments.cli.bundles.bundle import bundle
from experiments.cli.bundles.verify import verify as verify_bundle
from experiments.cli.claims.command import claims
from experiments.cli.compare import compare
from experiments.cli.data import app as data
from experiments.cli.detect import detect
from experiments.cli.doctor.command import doctor
from experiments.cli.export.command import export
from experiments.cli.front import (
    DETECTORS,
    EXPERIMENTS,
    FILES,
    MACHINE,
    RESULTS,
    Commands,
    front_page,
    print_version,
)
from experiments.cli.listing import list_experiments
from experiments.cli.plan import plan
from experiments.cli.report import report
from experiments.cli.run import run
from experiments.cli.runs.diff import diff
from experiments.cli.runs.logs import logs
from experiments.cli.runs.status import status
from experiments.cli.runs.stop import stop
from experiments.cli.search.bisect import bisect
from experiments.cli.search.tune import tune
from experiments.cli.shared.encoding import name_not_utf8, use_utf8
from experiments.cli.shared.options import expanded
from experiments.cli.show import show
from experiments.cli.store import verify
from experiments.cli.store.du import du
from experiments.cli.store.gc import gc
from experiments.cli.submission import submission
from experiments.cli.sync import sync
from experiments.cli.train import train
from experiments.cli.ui import ui
from experiments.cli.why import why
from pipeline.driver.interrupts import interrupt_on_hangup
from pipeline.errors import ClusterLost, PipelineError
from pipeline.external.snapshot import snapshot
from pipeline.redaction import redacted
from pipeline.terminal import VisibleStream

app = typer.Typer(
    name="ssdpipe",
    cls=Commands,
    help='Reproduce "SSD: Single Shot MultiBox Detector" (Liu et al., 2016) with graphs of cached stages.',
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def _ssdpipe(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 (its callback prints it)
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        print(front_page(context), end="")
    context.with_resource(snapshot())  # a command reads what is on disk once


app.command("list", rich_help_panel=EXPERIMENTS)(list_experiments)
app.command(rich_help_panel=EXPERIMENTS)(expanded(plan))
app.command(rich_help_panel=EXPERIMENTS)(expanded(run))
app.command(rich_help_panel=EXPERIMENTS)(expanded(compare))
app.command(rich_help_panel=EXPERIMENTS)(expanded(claims))
app.command(rich_help_panel=EXPERIMENTS)(expanded(report))
app.command(rich_help_panel=EXPERIMENTS)(expanded(bundle))
app.command("verify", rich_help_panel=EXPERIMENTS)(verify_bundle)
app.command(rich_help_panel=EXPERIMENTS)(expanded(bisect))
app.add_typer(new.app, name="new", rich_help_panel=EXPERIMENTS)
app.command(rich_help_panel=DETECTORS)(expanded(train))
app.command(rich_help_panel=DETECTORS)(expanded(tune))
app.command(rich_help_panel=DETECTORS)(expanded(detect))
app.command(rich_help_panel=DETECTORS)(expanded(export))
app.add_typer(evaluate.app, name="evaluate", rich_help_panel=DETECTORS)
app.command(rich_help_panel=DETECTORS)(analyze)
app.command(rich_help_panel=DETECTORS)(expanded(submission))
app.add_typer(data.app, name="data", rich_help_panel=FILES)
app.add_typer(weights.app, name="weights", rich_help_panel=FILES)
app.add_typer(recipe.app, name="recipe", rich_help_panel=FILES)
app.command(rich_help_panel=RESULTS)(expanded(status))
app.command(rich_help_panel=RESULTS)(expanded(logs))
app.command(rich_help_panel=RESULTS)(expanded(stop))
app.command(rich_help_panel=RESULTS)(expanded(show))
app.command(rich_help_panel=RESULTS)(expanded(why))
app.command(rich_help_panel=RESULTS)(expanded(diff))
app.command(rich_help_panel=RESULTS)(expanded(ui))
app.command(rich_help_panel=RESULTS)(expanded(sync))
app.add_typer(verify.app, name="store", rich_help_panel=RESULTS)
app.command(rich_help_panel=RESULTS)(expanded(gc))
app.command(rich_help_panel=RESULTS)(expanded(du))
app.command(rich_help_panel=MACHINE)(expanded(doctor))


def main() -> None:
    """Entry point."""
    use_utf8()
    interrupt_on_hangup()
    with redirect_stdout(_visible(sys.stdout)), redirect_stderr(_visible(sys.stderr)):
        _run()


def _visible(stream: TextIO) -> TextIO:
    return cast(TextIO, VisibleStream(stream))


def _run() -> None:
    try:
        app()
    except PipelineError as error:
        _exit(error)
    except UnicodeEncodeError as error:
        if (mistake := name_not_utf8(error)) is None:
            _exit_with_traceback()
        _exit(mistake)
    except OSError as error:
        from pipeline.store.faults import as_place_error  # imports pyarrow

        if (mistake := as_place_error(error)) is None:
            _exit_with_traceback()
        _exit(mistake)
    except Exception:  # a bug
        _exit_with_traceback()


def _exit(error: PipelineError) -> NoReturn:
    sys.stderr.write(f"{error}\n")
    if isinstance(error, ClusterLost):  # Ray still waits for its head, for up to a minute
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(error.exit_code)
    sys.exit(error.exit_code)


def _exit_with_traceback() -> NoReturn:
    sys.stderr.write(redacted(traceback.format_exc()))
    sys.exit(1)
