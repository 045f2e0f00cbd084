"""The command: runs the checks one after the other, and prints what each found.

Tested in tests/experiments/cli/test_doctor.py and tests/experiments/cli/test_doctor_cluster.py.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from experiments.cli.doctor.finding import Finding
from experiments.cli.shared.options import StorePlace
from pipeline.errors import PipelineError

MARKS = {"ok": "ok", "note": "note", "problem": "PROBLEM"}
REPORTED = ("NCCL_", "GLOO_", "RAY_", "CUDA_", "OMP_", "TORCH_")
"""Beginnings of the names of environment variables that a report contains; secrets are left out."""


def doctor(
    place: StorePlace,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    cluster: Annotated[
        bool, typer.Option("--cluster", help="Check also the nodes of RAY_ADDRESS, and a group of workers on them.")
    ] = False,
    data: Annotated[
        list[str] | None, typer.Option(metavar="PLACE", help="With --cluster: data that every node must see.")
    ] = None,
    gpus: Annotated[int | None, typer.Option(min=0, help="With --cluster: GPUs of the group; all by default.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="With --cluster: workers on CPUs, where there is no GPU; 2 by default.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the findings to a JSON file as well.")] = None,
) -> None:
    """Check this machine: packages, GPUs, Ray, MLflow, disk, data. With --cluster, check its nodes as well.

    Each line that is not ok ends with its remedy. Exit code 2 if there is a problem; a note is none. Without --cluster
    it starts neither Ray nor a run, and creates nothing. With it, each node reports its code, versions, GPUs, clock
    and network, and whether it sees the store and the data; then workers add up a known sum, and train a few steps
    beside one worker. That takes one or two minutes.
    """
    _require_cluster(cluster, data=data, gpus=gpus, workers=workers)
    found = []
    for finding in _findings(place.store, _cluster(place.store, data, gpus, workers) if cluster else None):
        found.append(finding)
        if not as_json:
            print(_lines(finding), flush=True)
    problems = [finding.name for finding in found if finding.state == "problem"]
    document = {"ready": not problems, "checks": [_json(finding) for finding in found]}
    if out:
        _write(out, document)
    if as_json:
        print(json.dumps(document, indent=1))
    else:
        print(f"\nto be fixed: {', '.join(problems)}" if problems else "\nready")
    if problems:
        raise typer.Exit(2)


def _require_cluster(cluster: bool, **given: Any) -> None:
    if not cluster and (names := [name for name, value in given.items() if value not in (None, [])]):
        raise PipelineError(f"--{names[0]} belongs to `ssdpipe doctor --cluster`: add --cluster")


def _findings(place: str, cluster: Callable[[], Iterator[Finding]] | None) -> Iterator[Finding]:
    from experiments.cli.doctor import places, services, software
    from pipeline.folder import Folder

    yield software.python()
    yield (packages := software.packages())
    if packages.state == "problem":  # the other checks would fail at their imports
        return
    yield software.machine()
    yield _found("GPU", software.gpus)
    yield (ray := _found("Ray", services.ray))
    yield _found("Ray token", services.ray_token)
    yield _found("MLflow", lambda: services.mlflow(Folder.at(place)))
    yield _found("store", lambda: places.store(Folder.at(place)))
    yield places.data()
    yield software.coco_tool()
    if cluster and ray.state != "problem":
        try:
            yield from cluster()
        except PipelineError as error:
            yield _problem("cluster", error)


def _cluster(
    store: str, data: list[str] | None, gpus: int | None, workers: int | None
) -> Callable[[], Iterator[Finding]]:
    from experiments.cli.doctor.cluster import Check, cluster_findings
    from pipeline.folder import Folder

    check = Check(store=Folder.at(store), data=tuple(data or ()), gpus=gpus, workers=workers or 2)
    return lambda: cluster_findings(check)


def _found(name: str, check: Callable[[], Finding]) -> Finding:
    """The finding, or the error that the check met: whatever is broken here, the other checks follow."""
    try:
        return check()
    except Exception as error:
        return _problem(name, error)


def _problem(name: str, error: Exception) -> Finding:
    text, _, remedy = (str(error) or type(error).__name__).partition("\n")
    return Finding(name=name, state="problem", text=text, remedy=remedy)


def _lines(finding: Finding) -> str:
    from experiments.cli.shared.printing import columns, wrapped

    head = f"{MARKS[finding.state]:7}  {finding.name:10}  "
    lines = wrapped(finding.text, head) + (f"\n{wrapped(finding.remedy, ' ' * len(head))}" if finding.remedy else "")
    return f"{lines}\n\n{columns(finding.table)}\n" if finding.table else lines


def _json(finding: Finding) -> dict[str, Any]:
    return {name: value for name, value in asdict(finding).items() if name != "table"}


def _write(out: Path, document: dict[str, Any]) -> None:
    """Write the file that is sent along with a question: when, where and under which variables."""
    from pipeline.redaction import redacted_json
    from pipeline.store.provenance import run_provenance

    variables = {name: value for name, value in os.environ.items() if name.startswith(REPORTED) and "TOKEN" not in name}
    when = datetime.now(UTC).isoformat(timespec="seconds")
    report = {"time": when, **run_provenance(), "environment": variables, **document}
    try:
        out.write_text(json.dumps(redacted_json(report), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise PipelineError(f"--out {out} cannot be written: {error.strerror}") from error
