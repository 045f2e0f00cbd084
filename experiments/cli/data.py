"""`ssdpipe data`: getting, checking and seeing annotated images."""

from __future__ import annotations

import typer

from experiments.cli.data_get import download, link
from experiments.cli.data_show import show

app = typer.Typer(help="Get data sets, check them, look at them.")
app.command()(download)
app.command()(link)
app.command()(show)
