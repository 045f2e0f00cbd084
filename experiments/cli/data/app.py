"""`ssdpipe data`: get, check, show, convert and shard annotated images."""

from __future__ import annotations

import typer

from experiments.cli.data.check import check
from experiments.cli.data.convert import convert
from experiments.cli.data.get import download, link
from experiments.cli.data.shard import shard
from experiments.cli.data.show import show
from experiments.cli.shared.options import expanded

app = typer.Typer(help="Get, check, show, convert and shard data sets.")
app.command()(download)
app.command()(link)
app.command()(check)
app.command()(show)
app.command()(convert)
app.command()(expanded(shard))
