"""The page about a data set: its figures and tables in one HTML file that needs nothing beside it.

Tested in tests/experiments/cli/data/test_app.py.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape

from ssd_core.spec.detector import DetectorSpec
from stages.figures.charts import class_chart, shape_chart
from stages.figures.reach import reach_chart
from stages.figures.sheet import contact_sheet
from stages.shards.looking import Seen
from stages.shards.reach import OfGroup, Reach

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
img { max-width: 100%; height: auto; display: block; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child, td:first-child { text-align: left; }
.note { background: #fff6dd; padding: .5rem .8rem; border-left: 4px solid #e0b030; }
"""
SHEET, CLASSES, SHAPES, REACH = "sheet.png", "classes.png", "shapes.png", "reach.png"


def figures(seen: Seen, reach: Reach, spec: DetectorSpec) -> dict[str, bytes]:
    """Name of the file to PNG."""
    return {
        SHEET: contact_sheet(seen.picked, seen.classes),
        CLASSES: class_chart(seen),
        SHAPES: shape_chart(seen, spec),
        REACH: reach_chart(reach),
    }


def page(seen: Seen, reach: Reach, spec_name: str, drawn: Mapping[str, bytes]) -> str:
    """The page; `drawn` are the figures of the same data."""
    parts = [
        f"<h1>{escape(seen.title)}</h1>",
        f"<p>{escape(headline(seen))}</p>",
        _image(drawn[SHEET], "images with their boxes"),
        "<p>Dashed: difficult. Hatched: crowd.</p>",
        "<h2>Classes</h2>",
        _image(drawn[CLASSES], "objects of each class"),
        "<h2>Boxes</h2>",
        _image(drawn[SHAPES], "sizes and aspect ratios"),
        f"<h2>What the default boxes of {escape(spec_name)} reach</h2>",
        f'<p class="note">{escape(verdict(reach))}</p>',
        _image(drawn[REACH], "objects reached by default boxes"),
        _table(*scale_table(reach)),
        _table(*group_table("side, input pixels", reach.sizes)),
        _table(*group_table("class", reach.classes)),
    ]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(seen.title)}</title>'
        f"<style>{STYLE}</style></head>\n<body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def headline(seen: Seen) -> str:
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


def group_table(title: str, groups: Sequence[OfGroup]) -> tuple[list[str], list[list[str]]]:
    """Header and rows: objects of each group and how many of them no default box reaches."""
    rows = [
        [group.name, f"{group.objects:,}", f"{group.unreached:,}", f"{100 * group.share:.1f} %"]
        for group in groups
        if group.objects
    ]
    return [title, "objects", "not reached", "share"], rows


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in header)
    body = "\n".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"


def _image(png: bytes, alt: str) -> str:
    return f'<img alt="{escape(alt)}" src="data:image/png;base64,{b64encode(png).decode()}">'
