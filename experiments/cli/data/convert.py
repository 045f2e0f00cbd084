"""`ssdpipe data convert`: a data set of any layout, written in that of VOC, COCO or YOLO.

Tested in tests/stages/conversion/test_convert.py.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from experiments.cli.requests.request import HoldoutOption, SeedOption, refuse_lone_seed
from experiments.cli.shared.options import JsonOption, LayoutOption, one_of
from stages.conversion.written_layout import WrittenLayout

if TYPE_CHECKING:
    from stages.conversion.convert import Conversion

WRITTEN = get_args(WrittenLayout)


def convert(
    folder: Annotated[str, typer.Argument(metavar="DIR|FILE", help="Data set in any layout.")],
    to: Annotated[
        WrittenLayout,
        typer.Option(parser=one_of("layout to write", *WRITTEN), metavar="|".join(WRITTEN), help="Layout to write."),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="New folder for the converted data set.")],
    split: Annotated[list[str] | None, typer.Option(help="Convert only this split; repeatable.")] = None,
    layout: LayoutOption = "",
    holdout: HoldoutOption = 0.0,
    seed: SeedOption = 0,
    strict: Annotated[
        bool, typer.Option("--strict", help="Write nothing if a defect is found or the layout cannot hold everything.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a data set in the layout of VOC, COCO or YOLO.

    Images are copied unchanged. Defects, and what the layout cannot hold, are counted and named.
    """
    from experiments.cli.data.get import Progress
    from stages.conversion.convert import convert as convert_data_set
    from stages.datasets.find import find_data_set
    from stages.shards.splits import pair_of_sources

    tell = Progress()
    data_set = find_data_set(folder, layout)
    refuse_lone_seed(holdout, seed)
    if holdout:
        sources = dict(
            zip(("train", "test"), pair_of_sources(data_set, *_one(split), holdout=holdout, seed=seed), strict=True)
        )
    else:
        sources = {name: data_set.source(name) for name in split or data_set.splits}
    result = convert_data_set(
        data_set,
        to,
        out,
        sources=sources,
        strict=strict,
        progress=lambda done, total: tell("convert", done, total),
    )
    if as_json:
        print(json.dumps(_document(result) | {"layout": to, "folder": str(out)}, indent=1))
    else:
        _print(result, out, to)


def _document(result: Conversion) -> dict[str, Any]:
    return {
        "images_of_splits": dict(result.splits),
        "images": result.images,
        "boxes": result.boxes,
        "classes": list(result.classes),
        "defects": Counter(defect.kind for defect in result.defects),
        "not_in_layout": result.losses.counts,
    }


def _one(splits: list[str] | None) -> list[str]:
    """The split to divide, if one is named. Raises PipelineError for several."""
    from pipeline.errors import PipelineError

    if splits and len(splits) > 1:
        raise PipelineError(f"--holdout divides one split, not {', '.join(splits)}: name one with --split")
    return splits or []


def _print(result: Conversion, out: Path, layout: str) -> None:
    from experiments.cli.shared.printing import wrapped
    from stages.datasets.defects import consequence

    for name, images in result.splits.items():
        print(f"{name}: {images:,} images listed")
    print(f"{result.images:,} images, {result.boxes:,} boxes, {len(result.classes)} classes")
    for kind, count in Counter(defect.kind for defect in result.defects).items():
        first = next(defect for defect in result.defects if defect.kind is kind)
        print(wrapped(f"{count:,}, {consequence(kind)}, first in {first.place}", f"{kind}: "))
    for line in result.losses.described():
        print(wrapped(line, f"not in layout {layout}: "))
    print(f"{layout}: {out}")
