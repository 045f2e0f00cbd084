"""SVG drawing of the four packages, their parts in levels, and the imports between the parts.

A part is above everything that it imports, and imports implied by a longer path are omitted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

BOX_WIDTH, BOX_HEIGHT, GAP, FLOOR = 128, 36, 14, 40
PADDING, HEAD, BETWEEN = 20, 38, 54
"""Pixels: padding inside a package, height of its title, and distance between packages."""

STYLE = """
text { font: 12px system-ui, 'DejaVu Sans', sans-serif; fill: #1c2733; text-anchor: middle }
.title { font-size: 15px; font-weight: 600; text-anchor: start } .note { font-size: 10px; fill: #54606c }
.package { fill: #f5f7f9; stroke: #9aa7b4 } .part { fill: white; stroke: #6b7785 } .file { stroke-dasharray: 3 2 }
path { fill: none; stroke: #7d8b99; stroke-width: 1.2; marker-end: url(#head) } .wide { stroke-width: 3 }
"""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A box: a folder, or a file beside the folders."""

    name: str
    note: str
    is_folder: bool


@dataclass(frozen=True, kw_only=True)
class Package:
    title: str
    floors: Sequence[Sequence[Part]]
    """Levels from the bottom up."""

    imports: Mapping[str, set[str]]
    """{part: parts that it imports}."""

    @property
    def width(self) -> float:
        return 2 * PADDING + max(map(_row_width, self.floors))

    @property
    def height(self) -> float:
        return HEAD + PADDING + len(self.floors) * (BOX_HEIGHT + FLOOR) - FLOOR


def drawing(rows: Sequence[Sequence[Package]], arrows: Sequence[tuple[str, str]]) -> str:
    """Draw packages in rows from the top down, with the arrows between them."""
    width = max(_rows_width(row) for row in rows)
    places, top = {}, float(GAP)
    for row in rows:
        left = (width - _rows_width(row)) / 2 + GAP
        for package in row:
            places[package.title] = (left, top, package)
            left += package.width + BETWEEN
        top += max(package.height for package in row) + BETWEEN
    body = [_package(*place) for place in places.values()]
    body += [_between(places[start], places[end]) for start, end in arrows]
    return _document(width + 2 * GAP, top - BETWEEN + GAP, body)


def _rows_width(row: Sequence[Package]) -> float:
    return sum(package.width for package in row) + BETWEEN * (len(row) - 1)


def _row_width(row: Sequence[Part]) -> float:
    return len(row) * (BOX_WIDTH + GAP) - GAP


def _package(left: float, top: float, package: Package) -> str:
    places = _places(left, top, package)
    lines = [
        f'<rect class="package" x="{left:.0f}" y="{top:.0f}" '
        f'width="{package.width:.0f}" height="{package.height:.0f}"/>',
        f'<text class="title" x="{left + PADDING:.0f}" y="{top + 25:.0f}">{escape(package.title)}</text>',
    ]
    for part, below in sorted(package.imports.items()):
        lines += [_arrow(*_foot(places[part]), *_head(places[other])) for other in sorted(below)]
    for floor in package.floors:
        lines += [_box(*places[part.name], part) for part in floor]
    return "\n".join(lines)


def _places(left: float, top: float, package: Package) -> dict[str, tuple[float, float]]:
    """Return the upper left corner of each part; levels are centred, the highest is at the top."""
    corners = {}
    for level, floor in enumerate(reversed(package.floors)):
        start = left + (package.width - _row_width(floor)) / 2
        for place, part in enumerate(floor):
            corners[part.name] = (start + place * (BOX_WIDTH + GAP), top + HEAD + level * (BOX_HEIGHT + FLOOR))
    return corners


def _box(left: float, top: float, part: Part) -> str:
    middle = left + BOX_WIDTH / 2
    kind = "part" if part.is_folder else "part file"
    return (
        f'<rect class="{kind}" x="{left:.0f}" y="{top:.0f}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="4"/>'
        f'<text x="{middle:.0f}" y="{top + 16:.0f}">{escape(part.name)}</text>'
        f'<text class="note" x="{middle:.0f}" y="{top + 29:.0f}">{escape(part.note)}</text>'
    )


def _foot(place: tuple[float, float]) -> tuple[float, float]:
    return place[0] + BOX_WIDTH / 2, place[1] + BOX_HEIGHT


def _head(place: tuple[float, float]) -> tuple[float, float]:
    return place[0] + BOX_WIDTH / 2, place[1]


def _arrow(x_start: float, y_start: float, x_end: float, y_end: float, kind: str = "") -> str:
    """Draw a curve that leaves downwards and arrives from above."""
    bend = min(FLOOR, (y_end - y_start) / 2)
    curve = f"C{x_start:.0f} {y_start + bend:.0f} {x_end:.0f} {y_end - bend:.0f} {x_end:.0f} {y_end - 3:.0f}"
    return f'<path class="{kind}" d="M{x_start:.0f} {y_start:.0f}{curve}"/>'


def _between(start: tuple[float, float, Package], end: tuple[float, float, Package]) -> str:
    from_left, from_top, above = start
    to_left, to_top, below = end
    overlap = max(from_left, to_left) + min(from_left + above.width, to_left + below.width)
    return _arrow(overlap / 2, from_top + above.height, overlap / 2, to_top, "wide")


def _document(width: float, height: float, body: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="folders and their imports">\n'
        f"<style>{STYLE}</style>\n"
        '<defs><marker id="head" viewBox="0 0 8 8" refX="5" refY="4" markerWidth="7" markerHeight="7" '
        'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" style="fill: #7d8b99; stroke: none"/>'
        "</marker></defs>\n"
    )
    return head + '<rect width="100%" height="100%" style="fill: white"/>\n' + "\n".join(body) + "\n</svg>\n"
