"""`make fuzz`: every target in a process of its own, one after the other; prints a table, and exits with 1 on a fault.

    python -m tests.fuzz [--inputs N] [--seed S] [--keep FOLDER] [--plain] [TARGET ...]

`--inputs` is the number over all targets. Inputs that ended in a fault are kept with their tracebacks.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import json
import os
import sys
import time
from collections.abc import Mapping
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.fuzz.target import Target

COUNTS = ("inputs", "accepted", "refused", "faults")
MOST_CRASHES = 20  # of a target
ROW = "{:<18} {:>7} {:>8} {:>7} {:>6} {:>9} {:>8} {:>7}"


def main() -> None:
    options = _options()
    guided = not options.plain and importlib.util.find_spec("atheris") is not None
    targets = _targets(guided)
    names = options.targets or list(targets)
    options.keep.mkdir(parents=True, exist_ok=True)
    each = -(-options.inputs // len(names))
    print(f"{time.strftime('%Y-%m-%d')}, seed {options.seed}, {'guided by coverage' if guided else 'seeded mutation'}")
    print(ROW.format("target", "inputs", "accepted", "refused", "faults", "slowest s", "peak MiB", "seconds"))
    figures = {name: _fuzz(targets[name], each, options, guided) for name in names}
    kinds = [(name, kind, number) for name, found in figures.items() for kind, number in found["kinds"].items()]
    total = {field: sum(found[field] for found in figures.values()) for field in COUNTS}
    print(ROW.format("total", *total.values(), "", "", f"{sum(found['seconds'] for found in figures.values()):.0f}"))
    for name, kind, number in kinds:
        print(f"FAULT {name}: {number} x {kind}")
    sys.exit(bool(kinds))


def _options() -> Any:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path(".fuzz"))
    parser.add_argument("--plain", action="store_true", help="seeded mutation even where atheris is installed")
    return parser.parse_args()


def _fuzz(target: Target, inputs: int, options: Any, guided: bool) -> dict[str, Any]:
    """Fuzz a target in a process of its own, and in another one after each crash until all inputs were taken."""
    total: dict[str, Any] = {**dict.fromkeys(COUNTS, 0), "kinds": {}, "seconds": 0.0, "slowest": 0.0, "memory": 0}
    for crash in range(MOST_CRASHES):
        if total["inputs"] >= inputs:
            break
        report = options.keep / f"{target.name}.json"
        report.unlink(missing_ok=True)
        left, seed = inputs - total["inputs"], options.seed + 1000 * crash
        arguments = {"seed": seed, "inputs": left, "keep": options.keep, "report": report, "guided": guided}
        process = get_context("fork").Process(target=_run, args=(target, arguments))
        process.start()
        process.join()
        found: dict[str, Any] = json.loads(report.read_text()) if report.exists() else dict[str, Any](inputs=1)
        ended = {f"crash, exit status {process.exitcode}": 1} if process.exitcode else {}
        for count in (*COUNTS, "seconds"):
            total[count] += found.get(count, 0)
        for name, number in (*found.get("kinds", {}).items(), *ended.items()):
            total["kinds"][name] = total["kinds"].get(name, 0) + number
        total |= {name: max(total[name], found.get(name, 0)) for name in ("slowest", "memory")}
        if ended:
            total["faults"] += 1
            with contextlib.suppress(OSError):
                (options.keep / f"{target.name}.current").rename(options.keep / f"{target.name}-crash{crash}.bin")
    (options.keep / f"{target.name}.current").unlink(missing_ok=True)
    counts = (total[count] for count in COUNTS)
    shown = f"{total['slowest']:.2f}", f"{total['memory'] / 2**20:.0f}", f"{total['seconds']:.0f}"
    print(ROW.format(target.name, *counts, *shown), flush=True)
    return total


def _run(target: Target, arguments: dict[str, Any]) -> None:
    from tests.fuzz.campaign import run

    with (arguments["keep"] / f"{target.name}.log").open("wb") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        run(target, **arguments)


def _targets(guided: bool) -> Mapping[str, Target]:
    """All targets; the project's code is imported here, once for all processes."""
    with contextlib.redirect_stderr(io.StringIO()), _instrumented() if guided else contextlib.nullcontext():
        from tests.fuzz.targets import TARGETS

    return TARGETS


def _instrumented() -> Any:
    import atheris

    return atheris.instrument_imports(include=["pipeline", "ssd_core", "stages", "experiments"])


if __name__ == "__main__":
    main()
