"""The command `ssdpipe`: assembles its subcommands and turns errors into exit codes.

2 for an error that the user can fix, 1 for a failed stage, 130 after Ctrl-C; a bug in ssdpipe keeps its traceback.
"""

from __future__ import annotations

import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout
from typing import Any, NoReturn, TextIO, cast

import typer
from typer.core import TyperGroup

from experiments.cli import evaluate, new, recipe, weights
from experiments.cli.analyze import analyze
from experiments.cli.compare import compare
from experiments.cli.data import app as data
from experiments.cli.detect import detect
from experiments.cli.listing import list_experiments
from experiments.cli.plan import plan
from experiments.cli.report import report
from experiments.cli.run import run
from experiments.cli.runs.logs import logs
from experiments.cli.runs.status import status
from experiments.cli.runs.stop import stop
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
from pipeline.errors import PipelineError
from pipeline.external.snapshot import snapshot
from pipeline.redaction import redacted
from pipeline.terminal import VisibleStream


class _Commands(TyperGroup):
    """Commands whose messages about wrong usage do not repeat a secret that was typed."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except WRONG_USAGE as error:
            error.message = redacted(error.message)
            raise


WRONG_USAGE: Any = typer.BadParameter.__base__
"""Superclass of all errors of parsing; typer does not export it."""

app = typer.Typer(
    name="ssdpipe",
    cls=_Commands,
    help='Reproduce "SSD: Single Shot MultiBox Detector" (Liu et al., 2016) with graphs of cached stages.',
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def _read_disk_once(context: typer.Context) -> None:
    context.with_resource(snapshot())


app.command("list")(list_experiments)
app.command()(expanded(plan))
app.command()(expanded(run))
app.command()(expanded(train))
app.command()(expanded(detect))
app.add_typer(evaluate.app, name="evaluate")
app.command()(analyze)
app.command()(expanded(submission))
app.command()(expanded(compare))
app.command()(expanded(report))
app.command()(expanded(why))
app.command()(expanded(show))
app.command()(expanded(status))
app.command()(expanded(logs))
app.command()(expanded(stop))
app.add_typer(recipe.app, name="recipe")
app.add_typer(weights.app, name="weights")
app.add_typer(data.app, name="data")
app.add_typer(new.app, name="new")
app.command()(expanded(ui))
app.command()(expanded(sync))
app.add_typer(verify.app, name="store")
app.command()(expanded(gc))
app.command()(expanded(du))


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
        from pipeline.store.faults import as_disk_error  # imports pyarrow

        if (mistake := as_disk_error(error)) is None:
            _exit_with_traceback()
        _exit(mistake)
    except Exception:  # a bug
        _exit_with_traceback()


def _exit(error: PipelineError) -> NoReturn:
    sys.stderr.write(f"{error}\n")
    sys.exit(error.exit_code)


def _exit_with_traceback() -> NoReturn:
    sys.stderr.write(redacted(traceback.format_exc()))
    sys.exit(1)
