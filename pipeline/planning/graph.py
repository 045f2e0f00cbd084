"""The graph of stages: one node for equal stages, in topological order.

Edges are the stages that a stage holds in its fields. Stages are frozen, so a cycle cannot be built.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pipeline.errors import PipelineError
from pipeline.keys.fingerprint import Description, describe, node_ids
from pipeline.stage import Stage
from pipeline.suggestion import suggestion, with_seed


@dataclass(frozen=True)
class Node:
    id: str
    stage: Stage
    address: str
    """Unique in its graph: a different stage with the same address gets the start of its id appended."""

    aliases: tuple[str, ...]
    """Addresses of further stages that are equal to this one."""

    inputs: Mapping[str, str]
    """{field path: node id}."""

    description: Description


class Graph:
    """The targets and all stages that they need."""

    def __init__(self, targets: Iterable[Stage]) -> None:
        """Raises PipelineError that names a field whose value cannot be part of a key."""
        builder = _Builder()
        self.targets: tuple[str, ...] = tuple(dict.fromkeys(builder.add(stage) for stage in targets))
        self.nodes: dict[str, Node] = builder.nodes
        """Nodes by id, in topological order."""

    def edges(self) -> dict[str, set[str]]:
        """{node id: ids of its inputs}, as `graphlib` expects."""
        return {node.id: set(node.inputs.values()) for node in self.nodes.values()}

    def below(self, node_id: str) -> list[str]:
        """Ids of all nodes that need this one, directly or not, in topological order."""
        reached = {node_id}
        for node in self.nodes.values():
            if reached & set(node.inputs.values()):
                reached.add(node.id)
        return [each for each in self.nodes if each in reached and each != node_id]

    def heights(self) -> dict[str, int]:
        """{node id: number of nodes on the longest path from it to a target}."""
        heights = dict.fromkeys(self.nodes, 1)
        for node in reversed(self.nodes.values()):
            for above in node.inputs.values():
                heights[above] = max(heights[above], heights[node.id] + 1)
        return heights

    def find(self, text: str, keys: Mapping[str, str] | None = None) -> Node:
        """The node with this address, alias, or unique prefix of a node id or of a key in `keys` {node id: key}.

        An address may lack its seed where there is only one.
        """
        known = [name for node in self.nodes.values() for name in (node.address, *node.aliases)]
        named = with_seed(text, known)
        for node in self.nodes.values():
            if named == node.address or named in node.aliases:
                return node
        keys = keys or {}
        starts = (node for node in self.nodes.values() if node.id.startswith(text) or _starts(keys, node.id, text))
        matching = list(starts) if text else []
        if len(matching) == 1:
            return matching[0]
        if matching:
            raise PipelineError(
                f"{text!r} is the start of {len(matching)} keys: {_some(node.address for node in matching)}"
            )
        what = f"no stage {text!r} in this graph;" if text else "no stage is named, and in this graph"
        raise PipelineError(f"{what} {suggestion(text, known)}")

    def mermaid(self, states: Mapping[str, str] | None = None) -> str:
        """A Mermaid flow chart; `states` {address: state} colours the nodes."""
        states = states or {}
        names = {node_id: f"n{index}" for index, node_id in enumerate(self.nodes)}
        lines = ["flowchart LR"]
        for node in self.nodes.values():
            state = states.get(node.address, "")
            lines.append(f'  {names[node.id]}["{node.address}"]' + (f":::{state}" if state in STATE_COLOURS else ""))
        lines += [
            f"  {names[above]} --> {names[node.id]}"
            for node in self.nodes.values()
            for above in dict.fromkeys(node.inputs.values())
        ]
        used = {state: colour for state, colour in STATE_COLOURS.items() if state in states.values()}
        lines += [f"  classDef {state} fill:{colour}" for state, colour in used.items()]
        return "\n".join(lines) + "\n"


STATE_COLOURS = {
    "cached": "#d5f0d5", "run": "#ffe3b3", "resume": "#cfe2ff", "after": "#eeeeee", "missing": "#f6c7c7",
    "failed": "#f6c7c7",
}  # fmt: skip


def _starts(keys: Mapping[str, str], node_id: str, text: str) -> bool:
    return keys.get(node_id, "").startswith(text)


def _some(names: Iterable[str], at_most: int = 8) -> str:
    listed = list(names)
    more = f" and {len(listed) - at_most} more" if len(listed) > at_most else ""
    return ", ".join(listed[:at_most]) + more


class _Builder:
    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self._memo: dict[int, str] = {}
        self._described: dict[int, Description] = {}
        self._addresses: dict[str, str] = {}

    def add(self, stage: Stage) -> str:
        if id(stage) in self._memo:
            return self._memo[id(stage)]
        description = self._describe(stage)
        inputs = {path: self.add(held) for path, held in description.inputs.items()}
        node_id = node_ids(stage, self._describe, self._memo)
        if node_id not in self.nodes:
            address = self._unique(stage.address, node_id)
            self.nodes[node_id] = Node(node_id, stage, address, (), inputs, description)
        else:
            self._alias(self.nodes[node_id], stage.address)
        return node_id

    def _describe(self, stage: Stage) -> Description:
        if id(stage) not in self._described:
            self._described[id(stage)] = describe(stage)
        return self._described[id(stage)]

    def _unique(self, address: str, node_id: str) -> str:
        owner = self._addresses.setdefault(address, node_id)
        return address if owner == node_id else f"{address}~{node_id[:6]}"

    def _alias(self, node: Node, address: str) -> None:
        if address not in (node.address, *node.aliases):
            self.nodes[node.id] = replace(node, aliases=(*node.aliases, address))
