"""`ssdpipe recipe`: the named recipes and all their settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli.shared.completion import complete_recipe
from experiments.cli.shared.options import JsonOption

if TYPE_CHECKING:
    from ssd_core.spec.departures import Departure

RecipeArgument = Annotated[str, typer.Argument(help="See `ssdpipe recipe list`.", autocompletion=complete_recipe)]

app = typer.Typer(help="Show named recipes and their settings.")


@app.command("list")
def list_recipes(as_json: JsonOption = False) -> None:
    """List the recipes for `ssdpipe train`."""
    from experiments.cli.shared.printing import columns
    from experiments.framework.loading import named_setup
    from experiments.framework.names import RECIPES

    recipes = {name: named_setup(name).about for name in RECIPES}
    if as_json:
        print(json.dumps([{"name": name, "about": about} for name, about in recipes.items()], indent=1))
    else:
        print(columns(recipes.items()))


@app.command()
def show(
    name: RecipeArgument,
    settings: Annotated[
        list[str] | None,
        typer.Option("-s", "--set", metavar="FIELD=VALUE", help="Change a setting, as `train` does; repeatable."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show every setting of a recipe, with those of -s changed.

    `*` marks a setting that differs from the paper's SSD300 on VOC 07+12; the paper's value follows.
    """
    from experiments.cli.requests.request import with_settings
    from experiments.cli.shared.printing import setting, wrapped
    from experiments.framework.loading import named_setup

    setup = with_settings(named_setup(name), settings or ())
    shown = setup.settings()
    changed = {departure.field: departure for departure in setup.departures()}
    if as_json:
        values = {path: {"value": value, "paper": _papers(changed, path, value)} for path, value in shown.items()}
        print(json.dumps({"name": name, "about": setup.about, "settings": values}, indent=1))
        return
    print(wrapped(f"{name}: {setup.about}", "# "))
    for path, value in shown.items():
        note = f"  (SSD300: {changed[path].paper or 'none'})" if path in changed else ""
        print(setting(path, value, head="* " if note else "  ", note=note))
    for departure in changed.values():
        if not departure.ours:
            print(f"* {departure.field} = none  (SSD300: {departure.paper})")
    for title, sources in (("train on", setup.train), ("test on", setup.test)):
        print(f"# {title}: {', '.join(f'{source.name} {source.split}' for source in sources)}")
    print(f"# initial weights: {setup.initial.address if setup.initial else 'random'}")


def _papers(changed: Mapping[str, Departure], path: str, value: str) -> str | None:
    """The paper's value of a setting, None where it has none."""
    return (changed[path].paper or None) if path in changed else value


@app.command()
def draw(
    name: RecipeArgument,
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FILE", help="File to write, ending in .svg or .png.")
    ] = Path("architecture.svg"),
) -> None:
    """Draw the network: its layers, feature maps, and the boxes of each."""
    from experiments.framework.loading import named_setup
    from pipeline.errors import PipelineError
    from ssd_core.network.layer_table import layer_table
    from stages.figures.architecture import architecture_figure
    from stages.figures.style import png_and_svg

    if (suffix := out.suffix.removeprefix(".")) not in ("svg", "png"):
        raise PipelineError(f"--out {out} must end in .svg or .png")
    table = layer_table(named_setup(name).recipe.spec)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(png_and_svg(architecture_figure(table, name))[suffix])
    print(f"{out}: {len(table.maps)} maps, {table.boxes} boxes")
