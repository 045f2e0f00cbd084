"""`ssdpipe status`: what runs where, since when, and for how long still, from the store alone."""

from __future__ import annotations

import json as encoding
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.cli.shared.options import StorePlace

if TYPE_CHECKING:
    from pipeline.store.events import NodeState
    from pipeline.store.runs import StoredRun

RunArgument = Annotated[str, typer.Argument(help="Id of a run, or its first characters.", show_default=False)]


def status(
    run: RunArgument = "",
    *,
    place: StorePlace,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the runs that have not ended.

    They may be on any host that uses this store. For each: its driver, its command, and its unfinished stages with
    host, progress and remaining time. When none runs, or with RUN, the newest run or that one.
    """
    from pipeline.store.runs import find_run, lively_runs, stored_runs
    from pipeline.store.store import Store

    store = Store.open(place.store)
    runs = [find_run(store, run)] if run else lively_runs(store)
    is_quiet = not runs
    runs = runs or list(_first(stored_runs(store)))
    if json:
        print(encoding.dumps([_as_json(each) for each in runs], indent=1))
        return
    if is_quiet:
        print(f"nothing runs in the store {store.folder.shown}" + ("; the newest run:\n" if runs else ""))
    print("\n\n".join("\n".join(_lines(each)) for each in runs), end="\n" if runs else "")


def _first(runs: Any) -> list[StoredRun]:
    return [run for run in [next(runs, None)] if run]


def _lines(run: StoredRun) -> list[str]:
    from experiments.cli.shared.printing import columns, duration, wrapped

    state, process = run.state, run.state.process
    until = time.time() if run.is_lively else state.last
    where = f" on {process.host}, pid {process.pid}," if process else ""
    since = f"since {_moment(state.started)} ({duration(until - state.started)})"
    lines = [wrapped(f"{run.status}{where} {since}", f"{run.id}  ")]
    lines += [wrapped(_command(run), "  "), wrapped(_counts(run), "  ")]
    if run.status == "lost":
        ago = duration(time.time() - state.last)
        lines.append(wrapped(f"no sign of life for {ago}: its host is gone or cut off; the same command resumes", "  "))
    table = [_row(address, node, until) for address, node in _stages(run).items()]
    return lines + [f"  {line}" for line in columns(table).splitlines()] if table else lines


def _row(address: str, stage: dict[str, Any], until: float) -> tuple[str, ...]:
    from experiments.cli.shared.printing import duration

    state, host = stage["state"], stage["host"]
    since = duration(until - stage["since"]) if "since" in stage else ""
    text = f"{stage['done']:,.0f} of {stage['total']:,.0f}" if stage["total"] else ""
    eta = f"eta {duration(stage['eta'])}" if stage["eta"] is not None else ""
    shown = "  ".join(part for part in (text, stage["note"].strip().partition("\n")[0], eta) if part)
    return address, f"{state} on {host}" if host else state, since, shown


def _stages(run: StoredRun) -> dict[str, dict[str, Any]]:
    """Stages that are neither planned nor done, by address."""
    from pipeline.display.board import Board

    board = Board(len(run.state.nodes))
    for event in run.events:
        board.apply(event)
    stages: dict[str, dict[str, Any]] = {}
    for address, node in run.state.nodes.items():
        if node.state in ("planned", "cached", "committed"):
            continue
        running = board.running.get(address)
        done, total = _progress(run, node)
        stages[address] = {
            "state": node.state if run.is_lively or not (running or node.state == "waiting") else f"was {node.state}",
            "key": node.key,
            "attempt": node.attempt,
            "host": running.host if running else "",
            "done": done,
            "total": total,
            "note": _note(run, node),
            "eta": running.eta() if running else None,
        } | ({"since": running.began} if running else {})
    return stages


def _progress(run: StoredRun, node: NodeState) -> tuple[float, float]:
    """Progress and its end; that of a stopped or failed stage is in its work folder, from which it resumes."""
    from pipeline.store.record import read_progress

    kept = read_progress(run.store.work(node.key)) if node.state in ("cancelled", "failed") and node.key else None
    return (kept.done, kept.total) if kept else (node.done, node.total)


def _note(run: StoredRun, node: NodeState) -> str:
    """The note of a stage; one that waits for another driver only waits for room once nobody holds its lease."""
    from pipeline.store.lease import Leases

    if node.state != "waiting" or not run.is_lively or Leases(run.store.folder / "leases").holder(node.key):
        return node.note
    return f"for room; {node.note}, no longer runs it"


def _as_json(run: StoredRun) -> dict[str, Any]:
    from dataclasses import asdict

    state = run.state
    return {
        "run": run.id,
        "status": run.status,
        "command": _command(run),
        "driver": asdict(state.process) if state.process else None,
        "started": state.started,
        "last_event": state.last,
        "counts": _numbers(run),
        "stages": _stages(run),
    }


def _numbers(run: StoredRun) -> dict[str, int]:
    states = [node.state for node in run.state.nodes.values()]
    return {state: states.count(state) for state in dict.fromkeys(states)}


def _counts(run: StoredRun) -> str:
    numbers = _numbers(run)
    done = numbers.pop("cached", 0) + numbers.pop("committed", 0)
    more = [f"{count} {state}" for state, count in numbers.items()]
    return ", ".join([f"{done} of {len(run.state.nodes)} stages done", *more])


def _command(run: StoredRun) -> str:
    import shlex
    from pathlib import Path

    program, *arguments = run.state.argv or [""]
    return shlex.join([Path(program).name, *arguments])


def _moment(seconds: float) -> str:
    from datetime import datetime

    return f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M:%S %z}"
