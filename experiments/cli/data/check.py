"""`ssdpipe data check`: the defects of a data set, before anything is built from it.

Tested in tests/stages/shards/test_check.py.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli.shared.options import LayoutOption, comma_separated
from pipeline.terminal import visible

if TYPE_CHECKING:
    from stages.shards.check import Check

EXAMPLES = 5


def check(
    folder: Annotated[
        str, typer.Argument(metavar="DIR|FILE", help="Data set in VOC, COCO, ILSVRC, CSV or YOLO layout.")
    ],
    split: Annotated[list[str] | None, typer.Option(help="Check only this split; repeatable.")] = None,
    layout: LayoutOption = "",
    classes: Annotated[str, typer.Option(help="Expected class names, comma-separated.")] = "",
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with code 2 if there is a defect that a strict sharding refuses.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print everything as JSON, with the place of every defect.")
    ] = False,
) -> None:
    """Check every image and box, and report defects.

    Defects are listed by kind, with their files and consequences. The exit code is 2 if a run would refuse one.
    """
    from stages.datasets.defects import is_legal, is_refused
    from stages.datasets.find import find_data_set
    from stages.shards.check import check as check_data_set

    data_set = find_data_set(folder, layout)
    result = check_data_set(
        data_set,
        splits=split or (),
        classes=comma_separated(classes),
        examples=None if as_json else EXAMPLES,
        progress=_progress,
    )
    if as_json:
        _print_json(data_set.layout, result)
    else:
        print(f"{data_set.name}: layout {data_set.layout}")
        _print(result)
    if any(is_refused(kind) or (strict and not is_legal(kind)) for kind in result.numbers):
        raise typer.Exit(2)


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty() and (done % 100 == 0 or done == total):
        sys.stderr.write(f"\r{done:,} of {total:,} images" + ("\n" if done == total else ""))


def _print(result: Check) -> None:
    from experiments.cli.shared.printing import columns
    from stages.datasets.defects import consequence

    tally = result.tally
    print(columns([("split", "images", "objects"), *_splits(result)]))
    print()
    print(columns([("class", "objects"), *((name, f"{count:,}") for name, count in result.objects_per_class.items())]))
    print(
        f"\nimages  {tally.images_listed:,} listed, {tally.images_written:,} sound, {tally.images_left_out:,} left out"
    )
    left_out = tally.boxes_left_out + tally.boxes_of_left_out_images
    print(f"boxes   {tally.boxes_annotated:,} annotated, {tally.boxes_written:,} sound, {left_out:,} left out")
    print(f"images without objects: {tally.images_without_objects:,}\n")
    for kind, number in result.numbers.items():
        places = (defect for defect in result.defects if defect.kind is kind)
        print(f"{kind}: {number:,}, {consequence(kind)}")
        print("".join(f"  {visible(defect.place)}: {visible(defect.detail)}\n" for defect in places), end="")
        print(f"  and {number - EXAMPLES:,} more, see --json\n" if number > EXAMPLES else "", end="")
    if not result.numbers:
        print("no defects")


def _splits(result: Check) -> list[tuple[str, str, str]]:
    objects = result.objects_of_splits
    return [(name, f"{images:,}", f"{objects[name]:,}") for name, images in result.images_of_splits.items()]


def _print_json(layout: str, result: Check) -> None:
    """Print the counts, then a line for each defect: of a large data set, not all are made into text at once."""
    from stages.datasets.defects import entry

    counts = {
        "layout": layout,
        "images_of_splits": result.images_of_splits,
        "objects_of_splits": result.objects_of_splits,
        "objects_per_class": result.objects_per_class,
        **asdict(result.tally),
        "defects": result.numbers,
    }
    print(json.dumps(counts, indent=1).removesuffix("\n}") + ',\n "list": [', end="")
    for number, defect in enumerate(result.defects):
        print("," if number else "", f"\n  {json.dumps(entry(defect))}", sep="", end="")
    print("\n ]\n}")
