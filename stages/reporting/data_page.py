"""The page about a data set: its figures and tables in one HTML file that needs nothing beside it.

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


def figures(seen: AlbumContents, reach: Reach, spec: DetectorSpec) -> dict[str, bytes]:
    """Name of the file to PNG."""
    return {
        SHEET: contact_sheet(seen.picked, seen.classes),
        CLASSES: class_chart(seen),
        SHAPES: shape_chart(seen, spec),
        REACH: reach_chart(reach),
    }


def page(seen: AlbumContents, reach: Reach, spec_name: str, drawn: Mapping[str, bytes]) -> str:
    """The page; `drawn` are the figures of the same data."""
    return render(
        "data.html",
        title=seen.title,
        headline=headline(seen),
        sheet=drawn[SHEET],
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


def headline(seen: AlbumContents) -> str:
    """One line of counts."""
    used = sum(number > 0 for number in seen.objects_per_class())
    text = f"{seen.images:,} images, {len(seen.labels):,} objects of {used} classes"
    empty = seen.images - len(set(seen.image.tolist()))
    marks = [
        (int(seen.difficult.sum()), "difficult"),
        (int(seen.crowd.sum()), "crowds"),
        (empty, "images without objects"),
    ]
    text += "".join(f", {number:,} {what}" for number, what in marks if number)
    return text + (f"; {seen.left_out:,} images left out, see ssdpipe data check" if seen.left_out else "")


def verdict(reach: Reach) -> str:
    """The first thing to know about one's own data."""
    counts = f"{reach.all.unreached:,} of {reach.all.objects:,} objects ({100 * reach.all.share:.1f} %)"
    trained = "; each of them trains one box at most" if reach.all.unreached else ""
    return f"{counts} overlap no default box by 0.5{trained}."


def scale_table(reach: Reach) -> tuple[list[str], list[list[str]]]:
    """Header and rows: each scale, its default boxes, and the objects it serves."""
    rows = [[scale.name, f"{scale.default_boxes:,}", f"{scale.best:,}", f"{scale.reached:,}"] for scale in reach.scales]
    return ["scale", "default boxes", "best for objects", "reach objects"], rows


def group_table(title: str, groups: Sequence[GroupReach]) -> tuple[list[str], list[list[str]]]:
    """Header and rows: objects of each group and how many of them no default box reaches."""
    rows = [
        [group.name, f"{group.objects:,}", f"{group.unreached:,}", f"{100 * group.share:.1f} %"]
        for group in groups
        if group.objects
    ]
    return [title, "objects", "not reached", "share"], rows
