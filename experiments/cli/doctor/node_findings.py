"""Judgement of what the nodes of a cluster found: pure functions of facts.

Tested in tests/experiments/cli/test_doctor_cluster.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from experiments.cli.doctor.finding import Finding

if TYPE_CHECKING:
    from pipeline.ray_backend.node_survey import Facts, SurveyedNode

NOTED_SKEW = 1.0
WRONG_SKEW = 30.0
"""Seconds; a driver counts as dead 120 s after its last heartbeat, which it dates by its own clock."""

SAME_CODE = "Install the same commit and the same versions on every node, or `ray job submit --working-dir .`"
SAME_MOUNT = "Mount the same folder at the same path on every node, or use an s3:// place with credentials valid there"


def node_findings(nodes: Sequence[SurveyedNode], data: Sequence[str]) -> Iterator[Finding]:
    """A table of the nodes, then one finding for each thing in which a node may fail; `data` names the places."""
    yield _nodes(nodes, data)
    yield _all_equal("node code", nodes, lambda facts: facts.code_error, SAME_CODE, _versions(nodes))
    yield _all_equal("node store", nodes, lambda facts: facts.store_error, SAME_MOUNT, "read and written by every node")
    for number, place in enumerate(data):
        readers = [each for each in nodes if each.node.shards]
        yield _all_equal(
            "node data", readers, _data_error(number), SAME_MOUNT, f"{place} is visible on every node that shards"
        )
    yield _gpus(nodes)
    yield _network(nodes)
    yield _clock(nodes)


def _versions(nodes: Sequence[SurveyedNode]) -> str:
    versions = {f"{name} {number}" for _, facts in _answered(nodes) for name, number in facts.versions.items()}
    return f"the driver's on every node; {', '.join(sorted(versions))}"


def _data_error(number: int) -> Callable[[Facts], str]:
    return lambda facts: facts.data_errors[number]


def _answered(nodes: Iterable[SurveyedNode]) -> list[tuple[SurveyedNode, Facts]]:
    return [(each, each.facts) for each in nodes if each.facts]


def _nodes(nodes: Sequence[SurveyedNode], data: Sequence[str]) -> Finding:
    silent = [each.node.address for each in nodes if not each.facts]
    header = ("node", "code", "store", *(["data"] if data else []), "GPUs", "clock", "network")
    facts = {"nodes": [asdict(each) for each in nodes]}
    table = (header, *(_row(each, bool(data)) for each in nodes))
    text = f"{len(nodes)}, of which {len(silent)} do not answer" if silent else f"{len(nodes)}, all of which answer"
    if silent:
        remedy = f"Look at {', '.join(silent)}: `ray status`, and raylet.out in /tmp/ray/session_latest/logs there"
        return Finding(name="nodes", state="problem", text=text, remedy=remedy, facts=facts, table=table)
    return Finding(name="nodes", text=text, facts=facts, table=table)


def _row(each: SurveyedNode, with_data: bool) -> tuple[str, ...]:
    name = each.node.address + (" head" if each.node.is_head else "")
    if not (facts := each.facts):
        return (name, "no answer", "", *([""] if with_data else []), f"? of {each.node.gpus:g}", "", "")
    seen = ["ok" if not any(facts.data_errors) else "ABSENT"] if with_data else []
    return (
        name,
        facts.code if not facts.code_error else f"{facts.code} OTHER",
        "ok" if not facts.store_error else "ABSENT",
        *seen,
        f"{len(facts.gpus)} of {each.node.gpus:g}",
        f"{each.skew:+.2f} s",
        ", ".join(facts.interfaces) or "loopback",
    )


def _all_equal(
    name: str, nodes: Sequence[SurveyedNode], error: Callable[[Facts], str], remedy: str, text: str
) -> Finding:
    errors = {each.node.address: reason for each, facts in _answered(nodes) if (reason := error(facts))}
    if not errors:
        return Finding(name=name, text=text)
    listed = "\n".join(f"{address}: {reason}" for address, reason in errors.items())
    text = f"wrong on {len(errors)} of {len(nodes)} nodes:\n{listed}"
    return Finding(name=name, state="problem", text=text, remedy=remedy, facts={"errors": errors})


def _gpus(nodes: Sequence[SurveyedNode]) -> Finding:
    declared, seen = sum(each.node.gpus for each in nodes), sum(len(facts.gpus) for _, facts in _answered(nodes))
    facts = {"declared": declared, "seen": seen}
    absent = [
        f"{each.node.address} declares {each.node.gpus:g}, torch sees {len(found.gpus)}"
        + (f" ({found.gpu_error})" if found.gpu_error else "")
        for each, found in _answered(nodes)
        if each.node.gpus > len(found.gpus)
    ]
    if absent:
        remedy = (
            "On each: `nvidia-smi`, and `python -c 'import torch; print(torch.cuda.is_available())'`; what is placed "
            "there computes on the CPU. Without GPUs, start Ray with --num-gpus 0"
        )
        return Finding(name="node GPUs", state="problem", text="\n".join(absent), remedy=remedy, facts=facts)
    kinds = sorted({name for _, found in _answered(nodes) for name in found.gpus})
    if len(kinds) > 1:
        remedy = "A training waits for the slowest GPU at each step: give equal ones to one training"
        text = f"{seen}, of different kinds: {', '.join(kinds)}"
        return Finding(name="node GPUs", state="note", text=text, remedy=remedy, facts=facts)
    return Finding(
        name="node GPUs", text=f"{seen} x {kinds[0]}" if kinds else "none, and none is declared", facts=facts
    )


def _network(nodes: Sequence[SurveyedNode]) -> Finding:
    lines = {each.node.address: facts for each, facts in _answered(nodes)}
    without = [address for address, facts in lines.items() if not _used(address, facts) and len(nodes) > 1]
    facts = {"interfaces": {address: found.interfaces for address, found in lines.items()}}
    if without:
        remedy = "Start Ray there with --node-ip-address, an address of the host's own interface"
        text = f"{', '.join(without)}: no interface has the node's Ray address"
        return Finding(name="network", state="problem", text=text, remedy=remedy, facts=facts)
    several = [
        f"{address} uses {used}; it has {', '.join(f'{name} ({found[0]})' for name, found in each.interfaces.items())}"
        for address, each in lines.items()
        if len(each.interfaces) > 1 and (used := _used(address, each))
    ]
    if several:
        remedy = (
            "To choose another, set NCCL_SOCKET_IFNAME and GLOO_SOCKET_IFNAME to its name on each node before "
            "`ray start`"
        )
        return Finding(name="network", state="note", text="\n".join(several), remedy=remedy, facts=facts)
    text = ", ".join(sorted({_used(address, each) or "loopback" for address, each in lines.items()}))
    return Finding(name="network", text=f"gloo and NCCL use {text}", facts=facts)


def _used(address: str, facts: Facts) -> str:
    """Interface of the workers on a node: that of its Ray address, unless variables choose another."""
    by_address = next((name for name, listed in facts.interfaces.items() if address in listed), "")
    return facts.chosen.get("NCCL_SOCKET_IFNAME", by_address)


def _clock(nodes: Sequence[SurveyedNode]) -> Finding:
    sure = {each.node.address: max(0.0, abs(each.skew) - each.skew_error) for each, _ in _answered(nodes)}
    worst = max(sure.values(), default=0.0)
    facts = {"skew": {each.node.address: each.skew for each, _ in _answered(nodes)}}
    if worst < NOTED_SKEW:
        error = max((each.skew_error for each in nodes), default=0.0)
        return Finding(
            name="clocks", text=f"equal within {max(error, 0.01):.2f} s, as far as can be measured", facts=facts
        )
    late = ", ".join(f"{address} by {skew:.1f} s" for address, skew in sure.items() if skew >= NOTED_SKEW)
    remedy = "Run chrony or systemd-timesyncd on every node: leases of drivers are judged by their clocks"
    state = "problem" if worst >= WRONG_SKEW else "note"
    return Finding(name="clocks", state=state, text=f"differ from the driver's: {late}", remedy=remedy, facts=facts)  # type: ignore[arg-type]
