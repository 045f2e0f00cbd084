"""A graph as a self-contained SVG picture: one box for each stage, with its state as text and colour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from html import escape

from pipeline.display.graph_layout import Layout, Point, layout_of
from pipeline.planning.graph import STATE_COLOURS, Graph

BOX_HEIGHT, ROW_HEIGHT = 34, 46
COLUMN_GAP = 90
MARGIN, HEAD = 24, 92
"""In pixels; the head holds the title, the legend and the column headings."""

CHARACTER = 6.9
"""Generous width of a 12-pixel character: no font metrics are available here."""

STYLE = """
text { font: 12px system-ui, 'DejaVu Sans', sans-serif; fill: #1c2733 }
.title { font-size: 17px; font-weight: 600 } .kind { font-size: 13px; font-weight: 600; fill: #54606c }
.note { font-size: 11px; fill: #46525e } path { fill: none; stroke: #9aa7b4; stroke-width: 1.2 }
rect { stroke: #6b7785; stroke-width: 1; rx: 5 }
"""


def graph_svg(graph: Graph, *, title: str, states: Mapping[str, str], notes: Mapping[str, str] | None = None) -> str:
    """Draw the graph; `states` {address: state} colours the boxes, `notes` {address: text} follow the state."""
    if not graph.nodes:
        raise ValueError("there is no stage to draw")
    return _Drawing(graph, states, notes or {}).text(title)


class _Drawing:
    def __init__(self, graph: Graph, states: Mapping[str, str], notes: Mapping[str, str]) -> None:
        self.graph, self.states, self.notes = graph, states, notes
        self.layout: Layout = layout_of(graph)
        self.widths = [max(map(self._width, column)) for column in self.layout.columns]
        self.left = [MARGIN + sum(self.widths[:index]) + index * COLUMN_GAP for index in range(len(self.widths))]

    def text(self, title: str) -> str:
        width = self.left[-1] + self.widths[-1] + MARGIN
        height = HEAD + (max(self.layout.rows.values()) + 1) * ROW_HEIGHT + MARGIN
        counts = Counter(self.states.get(node.address, "") for node in self.graph.nodes.values())
        width = max(width, 2 * MARGIN + len(title) * 10, 2 * MARGIN + 120 * len(counts))
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(title)}">',
            f'<style>{STYLE}</style><rect width="100%" height="100%" style="fill: white; stroke: none; rx: 0"/>',
            f'<text class="title" x="{MARGIN}" y="30">{escape(title)}</text>',
            *self._legend(counts),
            *(self._heading(index) for index in range(len(self.widths))),
            *(self._line(start, end) for start, end in self.layout.lines),
            *(self._point(point) for column in self.layout.columns for point in column),
        ]
        return "\n".join([*parts, "</svg>"]) + "\n"

    def _legend(self, counts: Counter[str]) -> list[str]:
        present = [state for state in STATE_COLOURS if counts[state]]
        return [
            f'<rect x="{MARGIN + 120 * place}" y="42" width="14" height="14" style="fill: {STATE_COLOURS[state]}"/>'
            f'<text x="{MARGIN + 120 * place + 20}" y="53">{counts[state]} {state}</text>'
            for place, state in enumerate(present)
        ]

    def _heading(self, index: int) -> str:
        nodes = [self.graph.nodes[point.node_id] for point in self.layout.columns[index] if not point.is_bend]
        kinds = Counter(node.address.partition("/")[0].partition("~")[0] for node in nodes)
        heading = ", ".join(f"{count} {kind}" if count > 1 else kind for kind, count in kinds.items())
        return f'<text class="kind" x="{self.left[index]:.0f}" y="{HEAD - 10}">{escape(heading)}</text>'

    def _point(self, point: Point) -> str:
        left, middle = self.left[point.column], self._middle(point)
        right = left + self.widths[point.column]
        if point.is_bend:
            return f'<path d="M{left:.0f} {middle:.1f}H{right:.0f}"/>'
        address = self.graph.nodes[point.node_id].address
        state = self.states.get(address, "")
        top = middle - BOX_HEIGHT / 2
        return (
            f'<g><rect x="{left:.0f}" y="{top:.1f}" width="{right - left:.0f}" height="{BOX_HEIGHT}" '
            f'style="fill: {STATE_COLOURS.get(state, "white")}"/>'
            f'<text x="{left + 8:.0f}" y="{top + 15:.1f}">{escape(address)}</text>'
            f'<text class="note" x="{left + 8:.0f}" y="{top + 28:.1f}">{escape(self._note(address))}</text></g>'
        )

    def _line(self, start: Point, end: Point) -> str:
        """A curve that is horizontal at both ends."""
        x_start, x_end = self.left[start.column] + self.widths[start.column], self.left[end.column]
        y_start, y_end, between = self._middle(start), self._middle(end), (x_start + x_end) / 2
        curve = f"C{between:.0f} {y_start:.1f} {between:.0f} {y_end:.1f} {x_end:.0f} {y_end:.1f}"
        return f'<path d="M{x_start:.0f} {y_start:.1f}{curve}"/>'

    def _middle(self, point: Point) -> float:
        return HEAD + (self.layout.rows[point] + 0.5) * ROW_HEIGHT

    def _note(self, address: str) -> str:
        return " · ".join(part for part in (self.states.get(address, ""), self.notes.get(address, "")) if part)

    def _width(self, point: Point) -> float:
        if point.is_bend:
            return 0.0
        address = self.graph.nodes[point.node_id].address
        return 20 + CHARACTER * max(len(address), len(self._note(address)))
