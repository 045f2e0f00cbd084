"""`ssdpipe recipe`: the named recipes, and all that one of them fixes."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Named recipes and their settings.")


@app.command("list")
def list_recipes() -> None:
    """List the recipes that `ssdpipe train` knows."""
    from experiments.cli.printing import columns
    from experiments.recipes import RECIPES

    print(columns((name, recipe.setup().about) for name, recipe in RECIPES.items()))


@app.command()
def show(name: Annotated[str, typer.Argument(help="See `ssdpipe recipe list`.")]) -> None:
    """Show every setting; `*` marks those that differ from the paper's SSD300 on VOC 07+12, with its value."""
    from experiments.recipes import named_recipe
    from ssd_core.departures import departures, leaves

    setup = named_recipe(name).setup()
    changed = {departure.field: departure for departure in departures(setup.settings)}
    print(f"# {name}: {setup.about}")
    for path, value in leaves(setup.settings):
        note = f"  (SSD300: {changed[path].paper or 'none'})" if path in changed else ""
        print(f"{'*' if note else ' '} {path} = {value}{note}")
    for departure in changed.values():
        if not departure.ours:
            print(f"* {departure.field} = none  (SSD300: {departure.paper})")
    for title, sources in (("train on", setup.train), ("test on", setup.test)):
        print(f"# {title}: {', '.join(f'{source.name} {source.split}' for source in sources)}")
    print(f"# first weights: {setup.initial.address if setup.initial else 'random'}")
