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
    from ssd_core.settings import TrainingSettings

    setup = recipe_setup(name)
    paper = dict(_fields(TrainingSettings()))
    print(f"# {name}: {setup.about}")
    for path, value in _fields(setup.settings):
        print(f"{' ' if paper.get(path) == value else '*'} {path} = {value}")
    for title, sources in (("train on", setup.train), ("test on", setup.test)):
        print(f"# {title}: {', '.join(f'{source.name} {source.split}' for source in sources)}")
    print(f"# first weights: {setup.initial.address if setup.initial else 'random'}")


def _fields(value: object, path: str = "") -> list[tuple[str, str]]:
    """Leaves by dotted path; a tuple of dataclasses is opened by index."""
    from dataclasses import fields, is_dataclass

    if is_dataclass(value):
        items = [(item.name, getattr(value, item.name)) for item in fields(value)]
    elif isinstance(value, tuple) and value and is_dataclass(value[0]):
        items = [(str(index), item) for index, item in enumerate(value)]
    else:
        return [(path, ",".join(map(_text, value)) if isinstance(value, tuple) else _text(value))]
    return [leaf for name, item in items for leaf in _fields(item, f"{path}.{name}".lstrip("."))]


def _text(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)
