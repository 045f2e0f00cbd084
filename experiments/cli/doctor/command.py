"""The command: runs the checks one after the other, and prints what each found.

Tested in tests/experiments/cli/test_doctor.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Annotated

import typer

from experiments.cli.doctor.finding import Finding
from experiments.cli.shared.options import StorePlace

MARKS = {"ok": "ok", "note": "note", "problem": "PROBLEM"}


def doctor(
    place: StorePlace,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check this machine: packages, GPUs, Ray, MLflow, disk, data.

    Each line that is not ok ends with its remedy. Exit code 2 if there is a problem; a note is none. Starts neither Ray
    nor a run, and creates nothing.
    """
    found = []
    for finding in _findings(place.store):
        found.append(finding)
        if not as_json:
            print(_lines(finding), flush=True)
    problems = [finding.name for finding in found if finding.state == "problem"]
    if as_json:
        print(json.dumps({"ready": not problems, "checks": [asdict(finding) for finding in found]}, indent=1))
    else:
        print(f"\nto be fixed: {', '.join(problems)}" if problems else "\nready")
    if problems:
        raise typer.Exit(2)


def _findings(place: str) -> Iterator[Finding]:
    from experiments.cli.doctor import places, services, software
    from pipeline.folder import Folder

    yield software.python()
    yield (packages := software.packages())
    if packages.state == "problem":  # the other checks would fail at their imports
        return
    yield software.machine()
    yield _found("GPU", software.gpus)
    yield _found("Ray", services.ray)
    yield _found("Ray token", services.ray_token)
    yield _found("MLflow", lambda: services.mlflow(Folder.at(place)))
    yield _found("store", lambda: places.store(Folder.at(place)))
    yield places.data()
    yield software.coco_tool()


def _found(name: str, check: Callable[[], Finding]) -> Finding:
    """The finding, or the error that the check met: whatever is broken here, the other checks follow."""
    try:
        return check()
    except Exception as error:
        text, _, remedy = (str(error) or type(error).__name__).partition("\n")
        return Finding(name=name, state="problem", text=text, remedy=remedy)


def _lines(finding: Finding) -> str:
    from experiments.cli.shared.printing import wrapped

    head = f"{MARKS[finding.state]:7}  {finding.name:9}  "
    return wrapped(finding.text, head) + (f"\n{wrapped(finding.remedy, ' ' * len(head))}" if finding.remedy else "")
