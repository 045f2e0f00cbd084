"""Conditions under which results were made, from their manifests; several values are listed one per line."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pipeline.redaction import redacted_arguments
from pipeline.store.store import Manifest
from stages.training.elastic.certificate_text import certificate_lines, compilation_lines

HOUR = 3600


def conditions(manifests: Sequence[Manifest]) -> list[tuple[str, tuple[str, ...]]]:
    """Known conditions, each with its title and values."""
    titled = [
        ("machine", _each(_machine(item.provenance.get("machine", {})) for item in manifests)),
        ("commit", _each(_commit(item.provenance.get("git", {})) for item in manifests)),
        ("versions", _versions(manifests)),
        ("computing", _computing(manifests)),
        ("workers", _workers(manifests)),
        ("compiled", _compiled(manifests)),
        ("made", _times(manifests)),
        ("commands", _each(_command(item.provenance.get("argv", ())) for item in manifests)),
    ]
    return [(title, items) for title, items in titled if items]


def _machine(machine: Mapping[str, Any]) -> str:
    if not machine:
        return ""
    gpus = [f"{machine['gpus'].count(name)} × {name}" for name in dict.fromkeys(machine.get("gpus", ()))]
    parts = [machine["host"], f"{machine['processor']}, {machine['cpus']} CPUs", ", ".join(gpus) or "no GPU"]
    return ", ".join([*parts, machine["platform"]])


def _commit(git: Mapping[str, Any]) -> str:
    if not git:
        return ""
    changes = f", with uncommitted changes (digest {git.get('difference', '')})" if git.get("dirty") else ""
    return f"{git.get('commit', '')[:12]}{changes}"


def _versions(manifests: Sequence[Manifest]) -> tuple[str, ...]:
    """One line of all libraries with each version used."""
    used: dict[str, dict[str, None]] = {}
    for item in manifests:
        machine = item.provenance.get("machine", {})
        python = {"Python": machine["python"]} if machine else {}
        for name, version in (python | item.provenance.get("libraries", {})).items():
            used.setdefault(name, {})[version] = None
    line = ", ".join(f"{name} {' and '.join(versions)}" for name, versions in used.items())
    return (line,) if line else ()


def _computing(manifests: Sequence[Manifest]) -> tuple[str, ...]:
    """Hours times the resources that each stage occupied; a resumed stage counts from its last start."""
    if not manifests:
        return ()
    gpu = sum(item.seconds * _occupied(item, "gpus") for item in manifests) / HOUR
    cpu = sum(item.seconds * _occupied(item, "cpus") for item in manifests) / HOUR
    hours = sum(item.seconds for item in manifests) / HOUR
    unknown = sum("resources" not in item.provenance for item in manifests)
    lines = [f"{gpu:.2f} GPU-hours and {cpu:.2f} CPU-hours, {hours:.2f} hours of {len(manifests)} stages"]
    if unknown:
        lines.append(f"{unknown} stages do not record their resources and count in the hours of stages only")
    return tuple(lines)


def _occupied(manifest: Manifest, what: str) -> float:
    return float(manifest.provenance.get("resources", {}).get(what, 0))


def _workers(manifests: Sequence[Manifest]) -> tuple[str, ...]:
    """Certificates of trainings whose number of workers changed."""
    return tuple(f"{item.address}: {line}" for item in manifests for line in certificate_lines(item.provenance))


def _compiled(manifests: Sequence[Manifest]) -> tuple[str, ...]:
    """Whether trainings with compiled=true used a compiled network."""
    return tuple(f"{item.address}: {line}" for item in manifests for line in compilation_lines(item.provenance))


def _times(manifests: Sequence[Manifest]) -> tuple[str, ...]:
    moments = sorted(item.finished for item in manifests if item.finished)
    if not moments:
        return ()
    first, last = (f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M}" for moment in (moments[0], moments[-1]))
    return (f"{first} to {last} UTC",)


def _command(argv: Sequence[str]) -> str:
    return shlex.join(["ssdpipe", *redacted_arguments(argv[1:])]) if argv else ""


def _each(texts: Iterable[str]) -> tuple[str, ...]:
    """Each text once, in order."""
    return tuple(dict.fromkeys(text for text in texts if text))
