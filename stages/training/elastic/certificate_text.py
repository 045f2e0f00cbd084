"""The certificate of a training whose number of workers changed or that was compiled, as text; read without torch.

Tested in tests/stages/training/elastic/test_certificate.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

NAME = "training"
"""Part of a manifest's provenance that holds the certificate."""


def certificate_lines(provenance: Mapping[str, Any]) -> tuple[str, ...]:
    """The certificate in a manifest as text; empty for a training on a constant number of workers."""
    certificate = provenance.get(NAME)
    if not isinstance(certificate, dict) or "replays" not in certificate:
        return ()
    return tuple(_lines(certificate))


def compilation_lines(provenance: Mapping[str, Any]) -> tuple[str, ...]:
    """Whether a training with compiled=true in a manifest used a compiled network; empty for other trainings."""
    certificate = provenance.get(NAME)
    listed = certificate.get("compilations", ()) if isinstance(certificate, dict) else ()
    refusals = [(each["start"], each["refusal"]) for each in listed if each["refusal"]]
    if not listed:
        return ()
    if not refusals:
        return ("yes; its gradients were checked against those of the uncompiled network",)
    start, refusal = refusals[0]
    return (f"{f'up to step {start:,}' if start else 'no'}, although compiled=true: {refusal}",)


def _lines(certificate: Mapping[str, Any]) -> Iterator[str]:
    steps, groups = certificate["steps"], certificate["groups"]
    yield "; ".join(f"steps {group['first']:,} to {group['last']:,} on {_count(group['workers'])}" for group in groups)
    recorded = sum(group["last"] - group["first"] + 1 for group in groups)
    if recorded < steps:
        yield f"{steps - recorded:,} of {steps:,} steps are not recorded"
    if other := certificate["other_images"]:
        yield f"NOT THE SAME TRAINING: {len(other):,} steps have other images, the first is step {other[0]:,}"
    else:
        yield f"the images of all {recorded:,} recorded steps are those that seed and position determine"
    yield from (_replay_line(replay, certificate["tolerance"]) for replay in certificate["replays"])
    yield "the number of workers changed: these weights are not bit for bit those of a constant number of workers"


def _replay_line(replay: Mapping[str, Any], tolerance: float) -> str:
    first, steps, difference = replay["first"], replay["steps"], replay["difference"]
    if difference is None:
        return f"steps from {first:,} on {_count(replay['workers'])}: not replayed, too large a batch for one worker"
    verdict = "within" if difference <= tolerance else "ABOVE"
    return (
        f"steps {first:,} to {first + steps - 1:,} on {_count(replay['workers'])}, replayed on one: losses differ by "
        f"at most {difference:.1e}, relative: {verdict} {tolerance:.0e}"
    )


def _count(workers: int) -> str:
    return f"{workers} worker{'s' if workers != 1 else ''}"
