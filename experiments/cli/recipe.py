"""`ssdpipe recipe`: the named recipes, and all that one of them fixes."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Named recipes and their settings.")


@app.command("list")
def list_recipes() -> None:
    """List the recipes that `ssdpipe train` knows."""
    from experiments.cli.printing import columns
    from experiments.setups import RECIPES, recipe_setup

    print(columns((name, recipe_setup(name).about) for name in RECIPES))


@app.command()
def show(name: Annotated[str, typer.Argument(help="See `ssdpipe recipe list`.")]) -> None:
    """Show every setting; `*` marks those that are not the paper's SSD300 on VOC 07+12."""
    from experiments.setups import recipe_setup
    from ssd_core.departures import departures, leaves

    setup = recipe_setup(name)
    changed = {departure.field for departure in departures(setup.settings)}
    print(f"# {name}: {setup.about}")
    for path, value in leaves(setup.settings):
        print(f"{'*' if path in changed else ' '} {path} = {value}")
    for title, sources in (("train on", setup.train), ("test on", setup.test)):
        print(f"# {title}: {', '.join(f'{source.name} {source.split}' for source in sources)}")
    print(f"# first weights: {setup.initial.address if setup.initial else 'random'}")
