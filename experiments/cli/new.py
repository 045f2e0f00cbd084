"""`ssdpipe new`: first drafts of files of one's own."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="First drafts of files of your own.")


@app.callback()
def new() -> None:
    """Keeps `experiment` the name of a command; typer folds a lone command into its group."""


@app.command()
def experiment(name: Annotated[str, typer.Argument(help="Such as my-ablation, for ./my_ablation.py.")]) -> None:
    """Write an experiment that runs as it is, to be changed, into the current folder."""
    from experiments.framework.drafting import write_draft

    path = write_draft(name)
    print(f"wrote {path}. Plan it, then run it at the smallest scale:")
    print(f"  ssdpipe plan ./{path} --preset tiny")
    print(f"  ssdpipe run ./{path} --preset tiny")
