"""`ssdpipe data show`: a data set in figures, and how well a detector's default boxes cover its objects.

Tested in tests/experiments/cli/data/test_app.py.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.cli.shared.options import JsonOption, LayoutOption

if TYPE_CHECKING:
    from ssd_core.spec.recipe import Recipe
    from stages.shards.album import AlbumContents
    from stages.shards.reach import Reach

SHORT = {"ssd300": "ssd300-voc0712", "ssd512": "ssd512-voc0712"}


def show(
    place: Annotated[str, typer.Argument(metavar="DIR", help="Annotated images, or a folder of shards.")],
    split: Annotated[str, typer.Option(help="Split to show; the training split by default.")] = "",
    layout: LayoutOption = "",
    spec: Annotated[
        str, typer.Option(help="Detector whose default boxes are compared: ssd300, ssd512, or a recipe.")
    ] = "ssd300",
    number: Annotated[int, typer.Option("-n", min=1, help="Number of images on the contact sheet.")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the choice of images, and of their augmentation.")] = 0,
    as_trained: Annotated[
        bool,
        typer.Option(
            "--as-trained", help="Also draw images as the network is trained on them: augmented, with matched boxes."
        ),
    ] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option("-s", "--set", metavar="FIELD=VALUE", help="Change a setting of the recipe; repeatable."),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write figures and page to.")] = Path("data-show"),
    as_json: JsonOption = False,
) -> None:
    """Draw a data set: boxes, classes, sizes, default-box coverage.

    Writes a contact sheet, figures and an HTML page, and prints how well a detector's default boxes match the objects.
    """
    from dataclasses import replace

    import numpy as np

    from experiments.cli.data.get import Progress
    from experiments.cli.shared.printing import columns, wrapped
    from stages.reporting.data_page import AS_TRAINED, figures, group_table, headline, page, scale_table, verdict
    from stages.shards.album import open_album, read_album
    from stages.shards.reach import reach_of

    recipe = _recipe(spec, settings or [])
    detector = recipe.spec
    tell = Progress()
    album = open_album(place, split, layout)
    seen = read_album(
        album, pick=number, rng=np.random.default_rng(seed), progress=lambda done, total: tell("read", done, total)
    )
    reach = reach_of(seen, detector)
    drawn = figures(seen, reach, detector)
    if as_trained:
        drawn[AS_TRAINED] = _as_trained(place, seen, replace(recipe, seed=seed), number)
    out.mkdir(parents=True, exist_ok=True)
    for name, picture in drawn.items():
        (out / name).write_bytes(picture)
    (out / "index.html").write_text(page(seen, reach, spec, drawn), encoding="utf-8")
    if as_json:
        print(json.dumps(_document(seen, reach, spec) | {"page": str(out / "index.html")}, indent=1))
        return
    print(f"{seen.title}: {headline(seen)}")
    print("\n" + wrapped(f"default boxes of {spec}: {verdict(reach)}", "") + "\n")
    for header, rows in (scale_table(reach), group_table("side, input pixels", reach.sizes)):
        print(columns([header, *rows]), end="\n\n")
    print(f"page: {out / 'index.html'}")


def _document(seen: AlbumContents, reach: Reach, spec: str) -> dict[str, Any]:
    """The counts; `reach` compares the objects with the default boxes of `spec`."""
    return {
        "title": seen.title,
        "images": seen.images,
        "images_left_out": seen.left_out,
        "objects": len(seen.labels),
        "difficult": int(seen.difficult.sum()),
        "crowds": int(seen.crowd.sum()),
        "objects_per_class": dict(zip(seen.classes, seen.objects_per_class(), strict=True)),
        "spec": spec,
        "reach": asdict(reach),
    }


def _recipe(name: str, settings: list[str]) -> Recipe:
    from experiments.framework.loading import named_setup
    from pipeline.overrides import override

    return override(named_setup(SHORT.get(name, name)).recipe, settings, root="recipe")


def _as_trained(place: str, album: AlbumContents, recipe: Recipe, number: int) -> bytes:
    """The first images of the recipe's training on a folder of shards, or else the images of the contact sheet."""
    from ssd_core.data.shards import MANIFEST, ShardSet
    from stages.figures.as_trained import as_trained_figure
    from stages.figures.style import to_jpeg
    from stages.shards.training_batch import first_images, images_as_trained

    if (Path(place) / MANIFEST).exists():
        matched = first_images(ShardSet(place), recipe, count=number)
    else:
        matched = images_as_trained(album.picked, album.classes, recipe)
    return to_jpeg(as_trained_figure(matched, album.classes))
