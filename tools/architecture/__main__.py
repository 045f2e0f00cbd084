"""Write architecture.md and architecture.svg into a folder, docs without one: `python -m tools.architecture [FOLDER]`.

A process of its own: what is imported already, and what a function remembers, would shorten a walk.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tools.architecture.drawing import Package, Part, drawing
from tools.architecture.folders import Folder, floors, folders, imports_inside, needed
from tools.architecture.page import page
from tools.architecture.trace import PACKAGES, ROOT
from tools.architecture.walks import image_walk, recipe_walk

ARROWS = (("experiments", "stages"), ("stages", "pipeline"), ("stages", "ssd_core"))


def texts() -> dict[str, str]:
    """Return {file under docs: its text}."""
    with tempfile.TemporaryDirectory() as place:
        image, recipe = image_walk(Path(place) / "image"), recipe_walk(Path(place) / "recipe")
    return {"architecture.md": page(list(folders().values()), image, recipe), "architecture.svg": picture()}


def picture() -> str:
    known = folders()
    packages = {name: _package(name, known) for name in PACKAGES}
    rows = [[packages["experiments"]], [packages["stages"]], [packages["pipeline"], packages["ssd_core"]]]
    return drawing(rows, ARROWS)


def _package(name: str, known: dict[str, Folder]) -> Package:
    edges = imports_inside(name)
    if name == "experiments":
        edges = _as_one(edges, {part for part in edges if part not in known}, "experiments.experiments")
    return Package(
        title=name,
        floors=[[_part(part, known) for part in floor] for floor in floors(edges)],
        imports={_last(part): {_last(other) for other in below} for part, below in needed(edges).items()},
    )


def _as_one(edges: dict[str, set[str]], parts: set[str], name: str) -> dict[str, set[str]]:
    """Merge parts into one: experiments import each other freely, so they share a box."""
    outside = {part: (below - parts) | ({name} if below & parts else set()) for part, below in edges.items()}
    together: set[str] = set().union(*(outside[part] for part in parts)) - {name}
    return {part: below for part, below in outside.items() if part not in parts} | {name: together}


def _part(name: str, known: dict[str, Folder]) -> Part:
    inside = [folder.files for folder in known.values() if f"{folder.name}.".startswith(f"{name}.")]
    return Part(name=_last(name), note=f"{sum(inside)} files" if inside else "", is_folder=bool(inside))


def _last(name: str) -> str:
    return name.rpartition(".")[2]


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs"
    for name, text in texts().items():
        (folder / name).write_text(text, encoding="utf-8")
