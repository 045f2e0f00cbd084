"""The page about a data set: figures and tables in one self-contained HTML file.

Tested in tests/experiments/cli/data/test_app.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ssd_core.spec.detector import DetectorSpec
from stages.figures.charts import class_chart, shape_chart
from stages.figures.reach import reach_chart
from stages.figures.sheet import contact_sheet
from stages.reporting.rendering import render
from stages.shards.album import AlbumContents
from stages.shards.reach import GroupReach, Reach

SHEET, CLASSES, SHAPES, REACH = "sheet.png", "classes.png", "shapes.png", "reach.png"
AS_TRAINED = "as-trained.jpg"
"""Drawn on request."""


def figures(album: AlbumContents, reach: Reach, spec: DetectorSpec) -> dict[str, bytes]:
    """PNG figures by file name."""
    return {
        SHEET: contact_sheet(album.picked, album.classes),
        CLASSES: class_chart(album),
        SHAPES: shape_chart(album, spec),
        REACH: reach_chart(reach),
    }


def page(album: AlbumContents, reach: Reach, spec_name: str, drawn: Mapping[str, bytes]) -> str:
    """The page about a data set; `drawn` holds its `figures`."""
    return render(
        "data.html",
        title=album.title,
        headline=headline(album),
        sheet=drawn[SHEET],
        as_trained=drawn.get(AS_TRAINED),
        classes=drawn[CLASSES],
        shapes=drawn[SHAPES],
        spec_name=spec_name,
        verdict=verdict(reach),
        reached=drawn[REACH],
        tables=[
            scale_table(reach),
            group_table("side, input pixels", reach.sizes),
            group_table("class", reach.classes),
        ],
    )


def headline(album: AlbumContents) -> str:
    """One line with the counts of images and objects."""
    used = sum(number > 0 for number in album.objects_per_class())
    text = f"{album.images:,} images, {len(album.labels):,} objects of {used} classes"
    empty = album.images - len(set(album.image.tolist()))
    marks = [
        (int(album.difficult.sum()), "difficult"),
        (int(album.crowd.sum()), "crowds"),
        (empty, "images without objects"),
    ]
    text += "".join(f", {number:,} {what}" for number, what in marks if number)
    return text + (f"; {album.left_out:,} images skipped, see ssdpipe data check" if album.left_out else "")


def verdict(reach: Reach) -> str:
    """The most important fact about a custom data set: how many objects no default box reaches."""
    counts = f"{reach.all.unreached:,} of {reach.all.objects:,} objects ({100 * reach.all.share:.1f} %)"
    trained = "; each of them trains at most one box" if reach.all.unreached else ""
    return f"{counts} overlap no default box with an IoU of at least 0.5{trained}."


def scale_table(reach: Reach) -> tuple[list[str], list[list[str]]]:
    """Header and rows: each scale with its default boxes and the objects it serves."""
    rows = [[scale.name, f"{scale.default_boxes:,}", f"{scale.best:,}", f"{scale.reached:,}"] for scale in reach.scales]
    return ["scale", "default boxes", "objects with best box here", "objects reached"], rows


def group_table(title: str, groups: Sequence[GroupReach]) -> tuple[list[str], list[list[str]]]:
    """Header and rows: the objects of each group, and how many of them no default box reaches."""
    rows = [
        [group.name, f"{group.objects:,}", f"{group.unreached:,}", f"{100 * group.share:.1f} %"]
        for group in groups
        if group.objects
    ]
    return [title, "objects", "not reached", "share"], rows
