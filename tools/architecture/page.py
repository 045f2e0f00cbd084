"""docs/architecture.md as text, from folders and walks."""

from __future__ import annotations

from collections.abc import Sequence

from tools.architecture.folders import Folder, first_line
from tools.architecture.trace import ROOT, Stop

TEXT = """\
# Architecture

<!-- Made by `make architecture`; a test compares it with the code. Change the code, not this page. -->

![The packages, their folders, and what imports what](architecture.svg)

A box stands above all that it imports; an arrow that a longer way implies is left out. Boxes with a dashed border are
files. `experiments` may import everything below, `stages` both `pipeline` and `ssd_core`, and these two never meet.
`make check` holds this and the layers inside each package.

## Folders

{folders}

## An image, from its folder to the loss: {image_count} files

The files in which a function is handed the image, or returns it, in one of its forms: an entry of a list, encoded
bytes, a row of a shard, pixels and boxes, a place in a batch, features, predictions. Traced while a small data set in
VOC layout is sharded and a detector is trained on it for eight steps; in the order in which they are reached.

{image}

## A recipe, from the command to the table: {recipe_count} files

The files in which a function is handed the recipe, or returns it, in one of its forms: what was typed, a row of an
experiment, a run, the preset and the setup that make it real, the recipe itself, the stage that trains it. Traced
during `ssdpipe run ablation-augmentation --preset tiny --data DIR` with trainings of two iterations.

{recipe}
"""


def page(folders: Sequence[Folder], image: Sequence[Stop], recipe: Sequence[Stop]) -> str:
    return TEXT.format(
        folders=folder_table(folders),
        image_count=len(image),
        image=walk_table(image),
        recipe_count=len(recipe),
        recipe=walk_table(recipe),
    )


def folder_table(folders: Sequence[Folder]) -> str:
    return _table(["folder", "files", "what it holds"], [_folder(folder) for folder in folders])


def _folder(folder: Folder) -> list[str]:
    return [f"`{folder.name.replace('.', '/')}/`", str(folder.files), folder.holds]


def walk_table(stops: Sequence[Stop]) -> str:
    rows = [
        [str(number), f"`{stop.file}`", f"`{stop.function}`", first_line(ROOT / stop.file)]
        for number, stop in enumerate(stops, start=1)
    ]
    return _table(["", "file", "enters by", "what the file is"], rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
