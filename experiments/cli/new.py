"""`ssdpipe new`: templates for your own files."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Write templates for your own files.")


@app.callback()
def new() -> None:
    """Keep `experiment` a subcommand: typer would merge a single command into its group."""


@app.command()
def experiment(
    name: Annotated[str, typer.Argument(help="Name of the experiment, such as my-ablation for ./my_ablation.py.")],
) -> None:
    """Write a runnable experiment, to be edited.

    The file goes to the current folder.
    """
    from experiments.framework.drafting import write_draft

    path = write_draft(name)
    print(f"wrote {path}. Plan it, then run it at the smallest scale:")
    print(f"  ssdpipe plan ./{path} --preset tiny")
    print(f"  ssdpipe run ./{path} --preset tiny")
